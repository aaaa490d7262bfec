"""Decide what happens in sessions and chats, sans-IO: events and the time come in, effects are calls of `Out`.

**Invariant:** no socket, clock or randomness of its own; imports only ext.
"""

from ext import plain_source

plain_source.choose()
