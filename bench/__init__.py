"""Measure the matcher, the whole server and its parts. Each bench has a fixed seed, asserts its result and says what it measured."""
