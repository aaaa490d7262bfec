"""Measure the matcher, and the baselines that a user would write instead. Each bench asserts its result."""
