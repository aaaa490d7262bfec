"""Match searches: the lobby for two with its tickets, pools and thresholds, the spy queue for three, interests, recent partners.

**Invariant:** nothing here knows sessions or frames.
"""
