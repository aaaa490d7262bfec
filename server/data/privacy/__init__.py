"""Declare personal data as code, and check it: the registry, its history and checks, the operators' audit log.

**Invariant:** nothing is stored, logged or handed on that `registry` does not declare.
"""
