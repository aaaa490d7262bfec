"""Mechanism, compiled: frames, rings, the reactor, the matcher.

Rule: no asyncio, no policy, no import from the rest of the house.
"""
