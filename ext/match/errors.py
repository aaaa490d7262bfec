"""What the matcher refuses, by name. Rule: whatever is raised here, the pool is as it was before the call."""


class MatcherError(ValueError):
    """A request that cannot be done."""


class UnknownInterest(MatcherError):
    """A number that no interest has."""


class DuplicateInterest(MatcherError):
    """The same interest twice in one ticket."""


class TooMany(MatcherError):
    """More interests (32) or persons to avoid (16 of each kind) than a ticket may carry."""


class UnknownPool(MatcherError):
    """A pool that was not opened."""


class UnknownTicket(MatcherError):
    """A handle whose ticket does not wait (any more)."""


class BadArray(MatcherError):
    """An array of the wrong type, shape or content."""


class MatcherFull(MatcherError):
    """No room for another ticket, list or pool."""
