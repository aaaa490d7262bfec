"""Decide what happens in sessions and chats, without I/O: events and the current time are arguments, effects are calls of the port `Out`.

**Invariant:** the engine has no socket, clock or random source of its own, and imports only `ext`.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
