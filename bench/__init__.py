"""Benches: parts, matcher, whole server. Rule: each asserts its result, has a fixed seed and says what it measured."""
