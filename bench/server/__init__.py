"""The whole server beside its peers, and its parts. Rule: each bench asserts its result."""
