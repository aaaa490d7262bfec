"""Process the bytes of connections: parse frames, scan and relay chat lines, buffer a chat's last lines, queue output, time connections.

**Invariant:** no asyncio, and no rules of the service.
"""
