"""Calls: set up, first pictures, what a relay carries. Rule: each bench asserts its result."""
