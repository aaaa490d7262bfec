"""What a request may fail by. Rule: nothing is imported here that a server without a store need not have."""


class QueueFull(RuntimeError):
    """Too many requests wait that nobody has proved."""


class Used(RuntimeError):
    """The agent's code was used for another request."""


class NoSuchRequest(ValueError):
    """There is no request of that number."""
