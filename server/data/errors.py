"""What can go wrong with the store, by name. Rule: nothing is imported here: who only catches these needs no database library."""


class StoreAway(ConnectionError):
    """The database cannot be reached, is full or refuses; what was asked was not done (or is not known to be)."""


class KeyAwaited(StoreAway):
    """The key of an epoch is another host's so far: what it is needed for waits."""


class Busy(RuntimeError):
    """Another process holds the lock: another purge runs, or a restore, or hosts serve."""


class ObjectsAway(ConnectionError):
    """The object store cannot be reached or refuses; nothing is known to be done. `cause`: one of `server.data.objects.object_store.REMEDIES`."""

    def __init__(self, said: str = "", cause: str = "away") -> None:
        super().__init__(said)
        self.cause = cause


class Crowded(RuntimeError):
    """So many logs are packed or shown at the moment that no more may wait."""


class NotSaved(RuntimeError):
    """The log was not saved; nothing is left of the attempt but what the next sweep removes.

    `why`: one of REFUSALS; `retry_after`: seconds until it may be tried again, 0: nobody knows.
    """

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


REFUSALS = {
    "away": "It could not be saved. Try again in a minute.",  # the database or the object store is, or records wait
    "busy": "Too many logs are being saved at the moment. Try again in a few seconds.",
    "full": "This server has no room left for further logs.",  # the disk is at its floor
    "quota": "Too many logs were saved from here. Try again later.",
}


class SchemaDiffers(RuntimeError):
    """The database is not at the revision that this program wants."""


class KeysDiffer(RuntimeError):
    """The keys in the data folder are not those that made what is in the database; the text says what to do."""
