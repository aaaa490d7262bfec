"""Serve Omegle's HTTP protocol (long polling): each HTTP client has a session of the engine like a browser's, on a connection without a socket.

**Invariant:** this package only translates between the two protocols; the engine decides what a frame means.
"""
