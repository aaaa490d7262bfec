"""The Omegle-compatible HTTP adapter: an HTTP client is a session of the same engine, on a connection without a socket.

Rule: it only translates. What a frame means is the engine's to decide; what a client library can bear stands here.
"""
