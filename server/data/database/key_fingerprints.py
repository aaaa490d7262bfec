"""Store a fingerprint of each encryption key in the database: a lost or foreign key is detected by it, and the first one stored for an epoch (30
days) decides which host's key a cluster uses.

**Invariant:** a wrong key is detected before the server writes anything with it. A fingerprint reveals nothing about its key.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from sqlalchemy import delete, select, text

from server.data.database.database import Database
from server.data.errors import KeysDiffer
from server.data.keys.epoch_keys import due, epoch_of
from server.data.keys.pseudonyms import EPOCH_NAME, KEPT_ID, VALUES_NAME, Pseudonyms, mac
from server.data.schema.record_schema import fingerprint
from server.ops.config.settings import Retention
from server.ops.security.secret_keys import EPOCHS, SECRET, Keys, Purpose

SECRET_NAME = "secret"
IDENTITY_NAME = "identity cookies"
WHAT_TO_DO = (
    f"Put the copy of `{SECRET}` and `{EPOCHS}/` that belongs to this database into the data folder; what is lost for good"
    " is accepted by: serendip db accept-keys --why TEXT"
)


class KeyFingerprints:
    """The check values of one data folder, compared with those of one database. `clock`: Unix seconds.

    Without the check, a lost `DATA/keys` or another host's `secret` would be replaced by new keys silently, and no earlier address or identity could
    be found again, not even for a legal hold. The first host that inserts the check value of its key for an epoch has the key that all hosts use; a
    host without it waits to receive it, and a different key is an error.
    """

    def __init__(
        self, database: Database, keys: Keys, pseudonyms: Pseudonyms, retention: Retention, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._database = database
        self._keys = keys
        self._pseudonyms = pseudonyms
        self._life = retention.days + retention.backup_days + 1  # days that an epoch's key outlives its epoch
        self._noted: set[str] = set()
        self._clock = clock

    async def check(self) -> None:
        """Compare all keys, then record new ones. Raises KeysDiffer, StoreAway."""
        for step in (self.problems, self.note, self.problems):  # another host may record its keys at the same time
            found = await step()
            if found:
                raise KeysDiffer(f"{'; '.join(found)}. {WHAT_TO_DO}")
        await self.epochs()

    async def problems(self) -> list[str]:
        """Return the keys that do not belong to this database; empty if all do. Raises StoreAway."""
        known, mine = await self._known(), self._mine()
        found = []
        for name, value in known.items():
            own = [mine[name]] if name in mine else []
            if name == SECRET_NAME and self._keys.previous is not None:
                own.append(self._keys.previous.fingerprint())
            if any(hmac.compare_digest(value, one) for one in own):
                continue
            epoch = _epoch(name)
            if epoch is not None and (self.over(epoch) or (not own and self._pseudonyms.epochs.shared)):
                continue
            if not own and self._noted and name.startswith(VALUES_NAME.format("")):
                continue  # another host restarted with a new key first: this one can open its values after its own restart
            found.append(f"the {'key of ' if name != SECRET_NAME else ''}{name} is {'another' if own else 'missing'}")
        return found

    async def note(self) -> list[str]:
        """Record the keys that the database does not have yet; all of them, if it has none. Always returns an empty list. Raises StoreAway."""
        mine = self._mine()
        present = EPOCH_NAME.format(epoch_of(self._clock()))
        lasting = {
            name for name in mine if _epoch(name) is None
        }  # an added key of kept values is new to a database that has others
        always = {*lasting, present}
        if not always & mine.keys() - self._noted:
            return []
        known = await self._known()
        wanted = [name for name in mine if not known or name in always]
        async with self._database.write() as connection:
            if known.get(SECRET_NAME) not in (None, mine[SECRET_NAME]):  # rotated: the row is of the previous secret
                await connection.execute(delete(fingerprint).where(fingerprint.c.name == SECRET_NAME))
            insert = text("INSERT INTO fingerprint (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")
            await connection.execute(insert, [{"name": name, "value": mine[name]} for name in wanted])
        self._noted.update(wanted)
        return []

    async def epochs(self) -> dict[int, bytes]:
        """Return the check values of the epochs in the database that are not over. Raises StoreAway.

        If keys are shared, started epochs whose key is missing here are awaited from now on.
        """
        known = {epoch: value for name, value in (await self._known()).items() if (epoch := _epoch(name)) is not None}
        found = {epoch: value for epoch, value in known.items() if not self.over(epoch)}
        keys, present = self._pseudonyms.epochs, epoch_of(self._clock())
        if keys.shared:
            keys.await_keys(epoch for epoch in found if epoch <= present and not keys.known(epoch))
        return found

    async def elect(self, epoch: int, value: bytes) -> bytes:
        """Propose a key for an epoch by its check value; return the check value of the elected key, final for every host. Raises StoreAway."""
        name = EPOCH_NAME.format(epoch)
        async with self._database.write() as connection:
            insert = text("INSERT INTO fingerprint (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")
            await connection.execute(insert, {"name": name, "value": value})
            elected = select(fingerprint.c.value).where(fingerprint.c.name == name)
            return bytes((await connection.execute(elected)).scalar_one())

    def over(self, epoch: int) -> bool:
        """Return whether the key of this epoch must be destroyed by now: a backup from before may still name it."""
        return due(epoch, self._clock(), self._life)

    async def accept(self) -> None:
        """Make the present keys the keys of this database. Raises StoreAway."""
        async with self._database.write() as connection:
            await connection.execute(delete(fingerprint))
        self._noted.clear()
        await self.note()

    def _mine(self) -> dict[str, bytes]:
        cookies = mac(self._keys.lasting[Purpose.COOKIE], b"fingerprint", b"", KEPT_ID)
        return {
            SECRET_NAME: self._keys.present.fingerprint(),
            IDENTITY_NAME: cookies,
            **self._pseudonyms.fingerprints(),
        }

    async def _known(self) -> dict[str, bytes]:
        async with self._database.read() as connection:
            rows = (await connection.execute(select(fingerprint.c.name, fingerprint.c.value))).all()
        return {row.name: row.value for row in rows}


def _epoch(name: str) -> int | None:
    """Return the epoch of a check value's name; None for another key."""
    kind, _, number = name.partition(" ")
    return int(number) if kind == EPOCH_NAME.partition(" ")[0] else None


async def forget(database: Database, epochs: list[int]) -> None:
    """Delete the check values of epochs whose keys are about to be destroyed. Raises StoreAway."""
    names = [EPOCH_NAME.format(epoch) for epoch in epochs]
    if names:
        async with database.write() as connection:
            await connection.execute(delete(fingerprint).where(fingerprint.c.name.in_(names)))
