"""Match searches: the lobby for two users with its tickets, pools and thresholds, the spy queue for three, interests, recent partners.

**Invariant:** no module here imports sessions or frames.
"""
