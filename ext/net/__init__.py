"""Carry bytes from one socket to another: frames, chat lines, rings, relay, output, timers. Invariant: no asyncio and no policy."""
