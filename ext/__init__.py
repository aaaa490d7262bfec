"""Provide the compiled (Cython and C) parts: WebSocket frames, chat buffers, the reactor that serves connections, the index that finds partners.

**Invariant:** no asyncio, no rules of the service, and no import from the other packages.
"""
