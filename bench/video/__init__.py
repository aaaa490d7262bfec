"""Measure calls: setup, first pictures, the load of a relay. Each bench asserts its result."""
