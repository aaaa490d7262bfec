"""Declare what all of ext needs: kernel and C library functions, assertions, and the constants of the protocol."""
