"""Declare what all of ext needs: functions of the kernel and the C library, assertions, the constants of the protocol, and the expiring map."""
