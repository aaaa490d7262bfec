"""Broadcast bans, unread notices and the current privacy statement from the frontend to the workers: a snapshot to a worker that connects, then
changes.

**Invariant:** the content of a message is read when it is sent, not when it is queued, so a change and a snapshot may arrive in either order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import Peers, number_of
from server.trust.moderation_protocol import Safety
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.notice_table import NoticeTable

EVERY: Final = 2.0  # seconds between polls of what has no event
BANS: Final = 2_000  # keys of one message: 106 KB
NOTICES: Final = 400  # notices of one message: 80 KB
Body = tuple[list[Any], list[bytes]]  # records and pieces of a message


class Source(NamedTuple):
    """One broadcast table. `keys`: all its keys; `some`: what these keys have, and which have nothing; `most`: keys of one message."""

    kind: Kind
    most: int
    keys: Callable[[], list[bytes]]
    some: Callable[[Sequence[bytes]], Body]


class BanBroadcast:
    """The broadcasts of one frontend. `statement`: returns the newest one; `safety`: None without a store. Make it in the loop.

    first … last     the snapshot; a worker accepts no client before it is complete, and keeps its old state until then
    in between       changes
    """

    def __init__(
        self, peers: Callable[[], Peers], statement: Callable[[], Mapping[str, Any] | None], safety: Safety | None
    ) -> None:
        self._peers = peers
        self._statement = statement
        self._said: Mapping[str, Any] | None = None
        self._pushes: dict[str, asyncio.Task[None]] = {}  # snapshot tasks by worker; each gets the changes from then on
        self._ignorant: set[str] = set()  # workers that joined before the store was loaded
        self._sources: tuple[Source, ...] = ()
        self._changed: dict[Kind, set[bytes]] = {Kind.BANS: set(), Kind.NOTICES: set()}  # in this turn of the loop
        self._reversed: set[bytes] = set()  # cases whose ban was reversed after its end, in this turn of the loop
        self._safety = safety
        self._loop = asyncio.get_running_loop()
        if safety is not None:
            bans, notices = safety.bans, safety.notices
            self._sources = (
                Source(Kind.BANS, BANS, bans.values, partial(some_bans, bans)),
                Source(Kind.NOTICES, NOTICES, notices.ids, partial(some_notices, notices)),
            )
            bans.subscribe(partial(self._change, Kind.BANS), self._reverse)
            notices.subscribe(partial(self._change, Kind.NOTICES))
        self._look = self._loop.call_later(EVERY, self._every)

    @property
    def known(self) -> bool:
        """Whether this frontend has loaded the store's decisions."""
        return self._safety is not None and self._safety.bans.known and self._safety.notices.known

    def joined(self, name: str) -> None:
        """Send a new worker the snapshot, and changes from now on."""
        if number_of(name) > 0:
            self._pushes[name] = self._loop.create_task(self._all(name))

    def dead(self, name: str) -> None:
        """Stop sending to a dead worker."""
        self._ignorant.discard(name)
        task = self._pushes.pop(name, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Stop sending."""
        self._look.cancel()
        for name in list(self._pushes):
            self.dead(name)

    def _every(self) -> None:
        self._look = self._loop.call_later(EVERY, self._every)
        statement = self._statement()
        if statement != self._said:
            self._said = statement
            for name in self._pushes:
                self._peers().send(name, Kind.STATEMENT, statement)
        if self._ignorant and self.known:  # the store is loaded now
            ignorant, self._ignorant = self._ignorant, set()
            for name in ignorant:
                self.joined(name)

    async def _all(self, name: str) -> None:
        peers = self._peers()
        peers.send(name, Kind.STATEMENT, self._statement())
        known = self.known
        if self._sources and not known:
            self._ignorant.add(name)
        for source in self._sources:
            for first, last, part in pieces(source.keys() if known else [], source.most):
                records, bodies = source.some(part)
                head = {"known": known, "all": True, "first": first, "last": last}
                peers.send(name, source.kind, head, *records, pieces=bodies)
                await peers.room(name)

    def _reverse(self, case: bytes) -> None:
        if not self._reversed:
            self._loop.call_soon(self._tell_reversed)
        self._reversed.add(case)

    def _tell_reversed(self) -> None:
        cases, self._reversed = list(self._reversed), set()
        for _, _, part in pieces(cases, BANS):
            head = {"all": False, "reversed": [case.hex() for case in part]}
            for name in self._pushes:
                self._peers().send(name, Kind.BANS, head, pieces=[b"", b""])

    def _change(self, kind: Kind, key: bytes) -> None:
        if not any(self._changed.values()):
            self._loop.call_soon(self._tell_changes)
        self._changed[kind].add(key)

    def _tell_changes(self) -> None:
        for source in self._sources:
            keys, self._changed[source.kind] = list(self._changed[source.kind]), set()
            for _, _, part in pieces(keys, source.most) if keys else ():
                records, bodies = source.some(part)
                for name in self._pushes:
                    self._peers().send(name, source.kind, {"all": False}, *records, pieces=bodies)


def some_bans(table: BanTable, macs: Sequence[bytes]) -> Body:
    """Return the message of these keyed values: those that are banned with their ban, and those that are not."""
    held = {mac: table.packed(mac) for mac in macs}
    there = b"".join([mac + ban for mac, ban in held.items() if ban is not None])
    return [], [there, b"".join([mac for mac, ban in held.items() if ban is None])]


def some_notices(table: NoticeTable, ids: Sequence[bytes]) -> Body:
    """Return the message of these notices: the withdrawn ids, then the unread notices with their owners."""
    rows: list[Any] = []
    gone = []
    for id in ids:
        found = table.find(id)
        if found is None:
            gone.append(id.hex())
            continue
        owner, made = found
        whose = owner if isinstance(owner, int) else owner.hex()
        rows.append([whose, id.hex(), made.kind, made.rule, made.since, made.by, made.case.hex()])
    return [gone, *rows], []


def pieces(items: Sequence[bytes], most: int) -> Iterator[tuple[bool, bool, Sequence[bytes]]]:
    """Yield parts of `most` items at most, one part at least: (is first, is last, the part)."""
    for at in range(0, len(items) or 1, most):
        yield not at, at + most >= len(items), items[at : at + most]
