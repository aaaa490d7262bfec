"""What can go wrong with the store, by name. Rule: nothing is imported here: who only catches these needs no database library."""


class StoreAway(ConnectionError):
    """The database cannot be reached, is full or refuses; what was asked was not done (or is not known to be)."""


class Busy(RuntimeError):
    """Somebody else holds the lock: another purge runs."""


class ObjectsAway(ConnectionError):
    """The object store cannot be reached or refuses; nothing is known to be done."""


class NotSaved(RuntimeError):
    """The log was not saved; nothing is left of the attempt but what the next sweep removes."""


class SchemaDiffers(RuntimeError):
    """The database is not at the revision that this program wants."""


class KeysDiffer(RuntimeError):
    """The keys in the data folder are not those that made what is in the database; the text says what to do."""
