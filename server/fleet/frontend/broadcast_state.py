"""What a worker was told by the office: who is banned, what is to be read, which privacy statement holds. Rule: it holds until there is more.

While there is no office it goes on with that. One that has nothing yet takes nobody in: whoever came might be banned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from server.data.keys.pseudonyms import MAC, Pseudonyms
from server.fleet.ipc.ipc_link import Message
from server.trust.sanctions.ban_table import HELD, BanTable, nobody_goes, unheard
from server.trust.sanctions.notice_table import Notice, NoticeTable, Owner

KEY: Final = 1 + MAC  # bytes of a keyed value


class ToldNotices(NoticeTable):
    """What is to be read, as the office told it. `read`: told of what was read here."""

    def __init__(self, pseudonyms: Pseudonyms, read: Callable[[bytes, Owner], None]) -> None:
        super().__init__(pseudonyms)
        self._tell = read

    def read_now(self, id: bytes, owner: Owner) -> None:
        """The office writes it down."""
        self._tell(id, owner)


class Told:
    """Of one worker. `news`: called where somebody who is here may be banned now, or have something to read; `read`: a notice was."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        news: Callable[[], None],
        read: Callable[[bytes, Owner], None],
        *,
        on_minor: Callable[[int], None] = nobody_goes,
        on_lifted: Callable[[bytes], None] = unheard,
    ) -> None:
        """`on_minor`, `on_lifted`: as of `BanTable`."""
        self._news = news
        self._read = read
        self.bans = BanTable(pseudonyms, on_minor=on_minor, on_lifted=on_lifted)
        self.notices = ToldNotices(pseudonyms, read)
        self.ready = asyncio.Event()  # it has all, or the office has nothing either
        self._bans: dict[bytes, bytes] | None = None  # all, while it comes
        self._notices: dict[bytes, tuple[Owner, Notice]] | None = None

    def take_bans(self, _: str, message: Message) -> None:
        """Some of all bans, or what changed of them."""
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
        """Some of all that is to be read, or what changed of it. It comes behind the bans."""
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
        """What was read here and is unread there was not heard: it is told again."""
        for id, owner in self.notices.replace(all_.values()):
            self._read(id, owner)
        self._news()


class Statement:
    """The newest privacy statement as `hello` says it (`Worker.statement`)."""

    def __init__(self) -> None:
        self._newest: Mapping[str, Any] | None = None

    def __call__(self) -> Mapping[str, Any] | None:
        return self._newest

    def take(self, _: str, message: Message) -> None:
        """The office says which one."""
        self._newest = message.records[0]


def _bans(packed: bytes) -> Iterator[tuple[bytes, bytes]]:
    size = KEY + HELD
    for at in range(0, len(packed), size):
        yield packed[at : at + KEY], packed[at + KEY : at + size]


def _notice(row: list[Any]) -> tuple[Owner, Notice]:
    whose, id, kind, rule, since, by, case = row
    owner = whose if isinstance(whose, int) else bytes.fromhex(whose)
    return owner, Notice(bytes.fromhex(id), kind, rule, since, by, bytes.fromhex(case))
