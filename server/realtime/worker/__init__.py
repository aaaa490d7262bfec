"""Run the worker of one process: its reactor (sockets) and engine (chats) in one event loop, its recorder, and the migration of its sessions. Bans,
limits and other decisions are passed in as functions.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
