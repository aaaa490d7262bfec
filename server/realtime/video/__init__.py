"""Video on the server's side: which ICE servers a call gets, and what a hidden address must not leak through.

Rule: media never comes here. A call costs the server its signals and nothing after them.
"""
