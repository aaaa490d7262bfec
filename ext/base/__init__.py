"""Declare what the rest of ext stands on: the kernel and the C library, assertions, the numbers of the protocol."""
