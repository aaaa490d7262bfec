"""Measure the cost of storing, and of the console and rights over the store. Each bench asserts its result."""
