"""Implement the operators' commands, one module per group.

**Invariant:** a command that reads or changes personal data writes to the audit log first.
"""
