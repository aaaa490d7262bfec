"""Serve Omegle's HTTP protocol: an HTTP client is a session of the same engine, on a connection without a socket.

**Invariant:** it only translates. The engine decides what a frame means; what client libraries tolerate is decided here.
"""
