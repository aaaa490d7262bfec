"""Match searches: the lobby (waiting room for pairs), the spy queue (for groups of three), tickets, interests, recent partners.

**Invariant:** no module here imports sessions or frames.
"""
