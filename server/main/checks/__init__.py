"""Check what an operator can get wrong, before users come. **Invariant:** a finding says in one line what is the case and, if it is a problem,
what to do.
"""
