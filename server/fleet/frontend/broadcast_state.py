"""Hold in a worker the bans, unread notices and privacy statement that the frontend broadcast.

**Invariant:** a worker accepts no client before its first complete snapshot, because the client might be banned. If the frontend is down, the
worker keeps the last state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from server.data.keys.pseudonyms import MAC, Pseudonyms
from server.fleet.ipc.ipc_link import Message
from server.trust.sanctions.ban_table import HELD, BanTable, ignore_minor, unheard
from server.trust.sanctions.notice_table import Notice, NoticeTable, Owner

KEY: Final = 1 + MAC  # bytes of a keyed value


class BroadcastNotices(NoticeTable):
    """Unread notices, as the frontend broadcast them. `read`: called when one was read here."""

    def __init__(self, pseudonyms: Pseudonyms, read: Callable[[bytes, Owner], None]) -> None:
        super().__init__(pseudonyms)
        self._tell = read

    def read_now(self, id: bytes, owner: Owner) -> None:
        """Pass it to the frontend, which stores it."""
        self._tell(id, owner)


class BroadcastState:
    """The broadcast state of one worker. `news`: called when connected sessions may be banned or have a notice; `read`: when a notice was read."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        news: Callable[[], None],
        read: Callable[[bytes, Owner], None],
        *,
        on_minor: Callable[[int], None] = ignore_minor,
        on_lifted: Callable[[bytes], None] = unheard,
    ) -> None:
        """`on_minor`, `on_lifted`: as of `BanTable`."""
        self._news = news
        self._read = read
        self.bans = BanTable(pseudonyms, on_minor=on_minor, on_lifted=on_lifted)
        self.notices = BroadcastNotices(pseudonyms, read)
        self.ready = asyncio.Event()  # the snapshot is complete, or the frontend has no store
        self._bans: dict[bytes, bytes] | None = None  # the snapshot, while it arrives
        self._notices: dict[bytes, tuple[Owner, Notice]] | None = None

    def take_bans(self, _: str, message: Message) -> None:
        """Take a part of the snapshot of bans, or changes."""
        head = message.records[0]
        there, gone = message.pieces
        held = dict(_bans(there))
        if head["all"]:
            if head["first"] or self._bans is None:
                self._bans = {}
            self._bans.update(held)
            if head["last"]:
                if head["known"]:
                    self.bans.replace(self._bans.items())
                    self._news()
                self._bans = None
            return
        for case in head.get("reversed", ()):
            self.bans.reverse_ended(bytes.fromhex(case))
        drop = [gone[at : at + KEY] for at in range(0, len(gone), KEY)]
        for mac in drop:
            self.bans.drop(mac)
        for mac, packed in held.items():
            self.bans.put(mac, packed)
        if self._bans is not None:
            self._bans.update(held)
            for mac in drop:
                self._bans.pop(mac, None)
        if held:
            self._news()

    def take_notices(self, _: str, message: Message) -> None:
        """Take a part of the snapshot of notices, or changes. The snapshot comes after that of the bans."""
        head, gone, *rows = message.records
        some = {made.id: (owner, made) for owner, made in map(_notice, rows)}
        if head["all"]:
            if head["first"] or self._notices is None:
                self._notices = {}
            self._notices.update(some)
            if head["last"]:
                if head["known"]:
                    self._replace(self._notices)
                self._notices = None
                self.ready.set()
            return
        drop = list(map(bytes.fromhex, gone))
        for id in drop:
            self.notices.drop(id)
        for owner, made in some.values():
            self.notices.put(owner, made)
        if self._notices is not None:
            self._notices.update(some)
            for id in drop:
                self._notices.pop(id, None)
        if some:
            self._news()

    def _replace(self, all_: Mapping[bytes, tuple[Owner, Notice]]) -> None:
        """Replace all notices. One that was read here and is still unread there is reported again."""
        for id, owner in self.notices.replace(all_.values()):
            self._read(id, owner)
        self._news()


class Statement:
    """The newest privacy statement (`WorkerPorts.find_statement`)."""

    def __init__(self) -> None:
        self._newest: Mapping[str, Any] | None = None

    def __call__(self) -> Mapping[str, Any] | None:
        return self._newest

    def take(self, _: str, message: Message) -> None:
        """Take the statement of the frontend."""
        self._newest = message.records[0]


def _bans(packed: bytes) -> Iterator[tuple[bytes, bytes]]:
    size = KEY + HELD
    for at in range(0, len(packed), size):
        yield packed[at : at + KEY], packed[at + KEY : at + size]


def _notice(row: list[Any]) -> tuple[Owner, Notice]:
    whose, id, kind, rule, since, by, case = row
    owner = whose if isinstance(whose, int) else bytes.fromhex(whose)
    return owner, Notice(bytes.fromhex(id), kind, rule, since, by, bytes.fromhex(case))
