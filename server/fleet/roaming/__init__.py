"""Move sessions between hosts. A client stays connected to its host (the edge), and its bytes pass a tunnel to the host of its session (the home),
until the session returns or the client reconnects.
"""
