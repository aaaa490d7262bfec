"""Policy, sans-IO: an event and the time go in, effects come out.

Rule: no socket, clock or randomness of its own; imports only ext.
"""
