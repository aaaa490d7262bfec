"""The matcher alone, and what a user would write instead. Rule: each bench asserts its result."""
