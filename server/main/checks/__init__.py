"""Check a deployment for mistakes of its operator, at the start and for `serendip check`.

**Invariant:** a finding is one line, and a finding of a problem has a remedy.
"""
