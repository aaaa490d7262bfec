"""Provide the compiled mechanism: frames, rings, the reactor, the matcher.

**Invariant:** no asyncio, no policy, and no import from the other packages.
"""
