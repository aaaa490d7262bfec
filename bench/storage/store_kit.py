"""Build the store over one database as the server does, and chats to record."""

from __future__ import annotations

import resource
from pathlib import Path

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.keys.pseudonyms import open_pseudonyms
from server.data.objects.object_store import Objects
from server.data.records.address_country import Countries
from server.data.records.chat_rows import EndedChat, Party, Records
from server.data.store.writer import Writer
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.health.background_tasks import Tasks
from server.ops.security import secret_keys

CHATS_A_PERSON = 20  # a visit's worth; the derived values are computed once a person and visit


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ended(index: int, at: float, chats_a_person: int = CHATS_A_PERSON) -> EndedChat:
    """Return the index-th chat."""
    person = index // chats_a_person * 2 + 1
    one, two = (f"81.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in (person, person + 1))
    return EndedChat("text", "stranger", at - 60, at, (Party(0, person, one), Party(1, person + 1, two)))


class Kit:
    """The store over one database."""

    def __init__(self, url: str, data: Path) -> None:
        self.data = data
        self.database = Database(url or f"sqlite+aiosqlite:///{data / 'bench.db'}", data=data)
        self.pseudonyms = open_pseudonyms(secret_keys.load(data), data)
        self.objects = Objects(ObjectSettings(), data)
        self.logs = SavedLogs(self.database, self.objects, self.pseudonyms)

    def writer(self, batch: int = 4000) -> Writer:
        """Return a writer as the server makes it."""
        return Writer(
            self.database,
            Records(self.pseudonyms, Countries(), self.database.missing),
            Tasks(),
            queue=5_000_000,
            batch=batch,
            linger=0.25,
        )
