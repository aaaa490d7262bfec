"""Make several hosts one service: membership, the shared waiting room, shared keys, HTTP for another host.

**Invariant:** what comes from another host is sealed by the service's secret.
"""
