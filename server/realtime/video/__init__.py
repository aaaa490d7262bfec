"""Handle video calls: choose the ICE servers, remove hidden addresses from WebRTC signals, count relayed traffic.

**Invariant:** media never passes through this server, only signals do.
"""
