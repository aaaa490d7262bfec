"""Read text: find phrases in it by a compiled index, and score it by a linear model over hashed features.

**Invariant:** mechanism only; which phrases and which scores mean something is decided by the caller.
"""
