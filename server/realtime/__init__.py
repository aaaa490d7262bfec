"""Serve people in real time: the worker (reactor and engine in one loop), its recorder, video. Reaches data and trust through ports only."""
