"""Everything that touches the outside: sockets, stores, providers, the page.

Rule: decides nothing that the engine decides.
"""
