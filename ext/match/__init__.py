"""Match waiting tickets by shared interests: the ticket index, interest numbers, pairs.

Invariant: mechanism only; the engine decides what a good pair is.
"""
