"""Process HTTP requests before they reach a handler: connections, client identity, limits, headers, forwarding to other hosts.

**Invariant:** no handler of a feature is here.
"""
