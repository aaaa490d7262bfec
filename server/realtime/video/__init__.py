"""Handle video calls: choose a call's ICE servers, remove hidden addresses from signals, count relayed traffic.

**Invariant:** media never passes through the server. A call costs the server its signals only.
"""
