"""Define the exceptions of the matcher.
**Invariant:** after any of these the index of tickets is as it was before the call.
"""


class MatcherError(ValueError):
    """Base class of requests that the matcher refuses."""


class UnknownInterest(MatcherError):
    """An interest number that is not in use."""


class DuplicateInterest(MatcherError):
    """The same interest twice in one ticket."""


class TooMany(MatcherError):
    """More interests (32) or persons to avoid (16 of each kind) than a ticket may have."""


class UnknownPool(MatcherError):
    """A pool that was not opened."""


class UnknownTicket(MatcherError):
    """A handle whose ticket does not wait (any more)."""


class BadArray(MatcherError):
    """An array of wrong type, shape or content."""


class MatcherFull(MatcherError):
    """No room for another ticket, list or pool."""
