"""Check a deployment for mistakes of its operator, at the start and for `serendip check`.

**Invariant:** a finding is one line with the problem and its remedy.
"""
