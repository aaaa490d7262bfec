"""What keeping costs. Rule: each bench asserts its result."""
