"""Track whether the database and the object store answer, with the cause of a failure in one word.

**Invariant:** each change of state is logged once, and each failure is counted by its cause.
"""

from __future__ import annotations

import errno
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.data.errors import Busy, KeyAwaited, KeysDiffer, ObjectsAway, SchemaDiffers
from server.data.keys.epoch_keys import KeyGone
from server.ops import log
from server.ops.metrics.metric_table import VALUES

CAUSES = VALUES["serendip_store_failures"]["cause"]
logger = log.get()

# The operator's remedy for each cause.
REMEDIES = {
    "full": "Make room on its disk",
    "io": "Its disk fails, or a limit of this process is in the way: look at dmesg and at ulimit -a",
    "locked": "Another program holds it: try again when that has ended",
    "malformed": "It is damaged: put a backup in its place, serendip db restore FILE",
    "refused": "Is the server of store.url running, and can it be reached from here?",
    "timeout": "It does not answer in time: is it overloaded, or is a firewall in between?",
    "schema": "It is not as this program wants it: serendip db migrate",
    "denied": "This user may not use it: look at the rights of the file, or at the user and password in store.url",
    "keys": "Its keys are not those of the data folder, or one is another host's and is still to come: serendip db check says which",
    "objects": "The object store does not answer",
    "other": "Look at the log of the database",
}

# SQLite's primary result codes (https://www.sqlite.org/rescode.html).
_SQLITE = {
    sqlite3.SQLITE_FULL: "full", sqlite3.SQLITE_BUSY: "locked", sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "malformed", sqlite3.SQLITE_NOTADB: "malformed", sqlite3.SQLITE_ERROR: "schema",
    sqlite3.SQLITE_READONLY: "denied", sqlite3.SQLITE_PERM: "denied", sqlite3.SQLITE_CANTOPEN: "denied", sqlite3.SQLITE_AUTH: "denied",
    sqlite3.SQLITE_IOERR: "io",
}  # fmt: skip
# SQLSTATEs of PostgreSQL (appendix A of its manual), the longest beginning that fits.
_SQLSTATE = {
    "53100": "full", "53": "refused", "55P03": "locked", "40": "locked", "57014": "timeout", "57": "refused", "08": "refused",
    "XX001": "malformed", "XX002": "malformed", "42501": "denied", "42": "schema", "28": "denied", "25006": "denied", "3D": "schema",
}  # fmt: skip
_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "full"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "denied"),
    **dict.fromkeys((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN), "refused"),
}


def cause_of(error: BaseException) -> str:
    """Return the cause of an error, one of CAUSES: from the first error of its chain that has one."""
    return next((word for one in reversed(list(_chain(error))) if (word := _word(one))), "other")


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _word(error: BaseException) -> str:
    if isinstance(error, SchemaDiffers):
        return "schema"
    if isinstance(error, KeysDiffer | KeyGone | KeyAwaited):
        return "keys"
    if isinstance(error, ObjectsAway):
        return "objects"
    if isinstance(error, Busy):
        return "locked"
    if isinstance(error, sqlite3.Error):
        return _SQLITE.get(getattr(error, "sqlite_errorcode", -1) & 0xFF, "")
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return next((_SQLSTATE[state[:size]] for size in (5, 2) if state[:size] in _SQLSTATE), "")
    if isinstance(error, TimeoutError | PoolTimeout):
        return "timeout"
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "refused"
    return _ERRNO.get(error.errno or 0, "") or _refused(error) if isinstance(error, OSError) else ""


def _refused(error: OSError) -> str:
    """Return "refused" for a failed connection or an unknown host name, or an empty string."""
    by_network = isinstance(error, ConnectionError) and type(error).__module__ == "builtins"
    return "refused" if by_network or type(error).__name__ == "gaierror" or "onnect" in str(error) else ""


class Reach:
    """Reachability of one kind of operation: records, saves, reads or objects.

    `cause`: why operations fail, None while they work; `name_cause`: names the cause of an error.
    """

    def __init__(self, what: str, name_cause: Callable[[BaseException], str] = cause_of) -> None:
        self._what = what
        self._name_cause = name_cause
        self.cause: str | None = None
        self.failures: Counter[str] = Counter(dict.fromkeys(CAUSES, 0))

    @property
    def answers(self) -> bool:
        """Whether the database answers: operations work, or wait for a key alone."""
        return self.cause in {None, "keys"}

    def failed(self, error: BaseException) -> None:
        """Record a failure."""
        cause = self._name_cause(error)
        self.failures[cause] += 1
        if cause != self.cause:
            logger.warning("store.away", what=self._what, cause=cause, **log.described(error))
        self.cause = cause

    def worked(self) -> None:
        """Record a success."""
        if self.cause is not None:
            logger.info("store.back", what=self._what)
        self.cause = None
