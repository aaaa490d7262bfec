"""Measure the whole server beside its peers, and several hosts and workers. Each bench asserts its result."""
