"""Run the worker of one process: its reactor and engine in one loop, its recorder, and migration of its sessions. It makes no policy."""

from ext import plain_source

plain_source.choose()
