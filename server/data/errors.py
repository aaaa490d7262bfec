"""Define the exceptions of the store. **Invariant:** this module imports nothing, so catching these exceptions loads no database library."""


class StoreAway(ConnectionError):
    """The database is unreachable, full, or refuses: the operation was not done, or is not known to be done."""


class KeyAwaited(StoreAway):
    """The key of an epoch is still on another host: an operation that needs it has to wait."""


class Busy(RuntimeError):
    """Another process holds the lock: a purge or a restore is running, or hosts are serving."""


class ObjectsAway(ConnectionError):
    """The object store is unreachable or refuses: nothing is known to be done. `cause`: a key of `object_store.REMEDIES`."""

    def __init__(self, said: str = "", cause: str = "away") -> None:
        super().__init__(said)
        self.cause = cause


class Crowded(RuntimeError):
    """The queue of logs to pack or render is full."""


class NotSaved(RuntimeError):
    """The log was not saved; the next sweep removes anything that the attempt left behind.

    `why`: a key of REFUSALS; `retry_after`: seconds until another attempt may succeed, 0 if unknown.
    """

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


REFUSALS = {
    "away": "It could not be saved. Try again in a minute.",  # the database or object store is unreachable, or records are queued
    "busy": "Too many logs are being saved at the moment. Try again in a few seconds.",
    "full": "This server has no room left for further logs.",  # the disk's free space is at the configured minimum
    "quota": "Too many logs were saved from here. Try again later.",
}


class SchemaDiffers(RuntimeError):
    """The database is not at the revision that this program needs."""


class KeysDiffer(RuntimeError):
    """The keys in the data folder did not make the values in the database; the text says how to repair it."""
