"""Find partners among waiting tickets by shared interests: the ticket index, numbers for interests, pairing of many tickets at once.

**Invariant:** mechanism only; the engine decides which pairs are good enough.
"""
