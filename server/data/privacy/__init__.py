"""Declare all personal data as code (the registry), check the code against it, and write the operators' audit log.

**Invariant:** nothing personal is stored, logged or passed on that the registry does not declare.
"""
