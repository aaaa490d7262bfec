"""Process HTTP requests before and beside their handlers: connections, client identity, limits, headers, forwarding. **Invariant:** no handler of
a feature is here.
"""
