"""Run the worker of one process: its reactor (sockets) and engine (chats) in one event loop, its recorder, and the migration of its sessions. It
makes no policy.
"""

from ext import plain_source

plain_source.choose()
