"""Divide the server's cost of a chat among the parts of its source: time by the clock, shares by instruction counts."""
