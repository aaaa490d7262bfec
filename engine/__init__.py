"""Policy, sans-IO: an event and the time go in, calls of `Out` come out.

Rule: no socket, clock or randomness of its own; imports only ext.
"""

from ext import plain

plain.choose()
