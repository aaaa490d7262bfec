"""Move sessions from one process of a host to another: upgrade, inheritance, what is in flight, forwarding."""
