"""Faults of the product, for the proof that histories find such. Each is one step of a migration left out, or done twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from engine.engine import Session
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.migrate import session_sender
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.session_import import Answer, Imports
from server.fleet.migrate.transfer import GroupTransfer, Transfer
from server.fleet.processes.session_lookup import SessionLookup
from server.fleet.processes.worker_to_worker_transfer import WorkerTransfer
from server.fleet.roaming import session_return_frames
from server.fleet.roaming.migration_target import GO, GO_WITHIN, MigrationTarget, Move
from server.fleet.roaming.move_request import wireless
from server.fleet.roaming.session_return import VisitorReturn
from server.fleet.roaming.session_return_frames import ReturnRecord
from server.fleet.roaming.stale_copies import Copies, StaleCopies
from server.fleet.roaming.tunnel_table import TunnelTable
from server.fleet.rpc.rpc_envelope import Nonces, Status
from server.ops.metrics.migration_metrics import MEET
from server.realtime.worker.session_moves import Released

_message_of = session_sender.message_of
_take_all = Imports.take_all
_go = VisitorReturn._go
_over = SessionLookup._over
Mutant = Callable[[], Any]  # returns the context manager of a fault


async def _land_in_any_case(self: MigrationTarget, request: Any, sock: Any) -> None:
    found = self._judged(request.body)
    if not isinstance(found, Move):
        await self._say(sock, request, found)
        return
    await self._say(sock, request, (Status.TAKEN, b""))
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(GO_WITHIN):
            await asyncio.get_running_loop().sock_recv(sock, len(GO))
    self._land(found, request.nonce, sock, 0.0)


def _keep_a_copy(self: VisitorReturn, session: Session, conn: int) -> bool:
    moving = self._moving

    def release(ids: Sequence[int]) -> Released | None:
        found = moving.release(ids)
        if found is not None:
            moving.take(wireless(found.session_record), [])
        return found

    self._moving = SimpleNamespace(release=release, take=moving.take)  # type: ignore[assignment]
    try:
        return _go(self, session, conn)
    finally:
        self._moving = moving


def _no_doubt(self: StaleCopies, *_: object) -> None:
    self.asked += 1


def _nothing_back(self: WorkerTransfer, name: str) -> None:
    self._targets.pop(name, None)


def _any_nonce(_: Nonces, __: bytes, ___: float) -> None:
    pass


def _read_twice(self: ReturnRecord) -> bytes:
    return 2 * b"".join(self._bytes)


def _held_twice(self: ReturnRecord) -> bytes:
    assert self.session_record is not None
    wire = self.session_record.record["people"][0]["wire"]
    held = session_return_frames.bytes_of(wire, self.session_record.blobs)
    return held[: wire.get("input", 0)] + b"".join(self._bytes)


def _not_followed(_: StaleCopies, *__: object) -> list[Copies]:
    return []


def _forget_the_last(self: Imports, message: Message, cause: str, answer: Answer, *more: int) -> list[Session] | None:
    if cause == MEET:
        record, where = message.records[:2]
        record["people"].pop()
        os.close(message.descriptors[where.pop()])
    return _take_all(self, message, cause, answer, *more)


def _keep_a_group(self: GroupTransfer) -> None:
    if len(self.meetings) > 1:
        self.refuse()
    else:
        Transfer.take(self)


def _exchange_sockets(transfer: GroupTransfer) -> tuple[Kind, list[Any]]:
    kind, records = _message_of(transfer)
    if kind == Kind.MEET:
        records[1].reverse()
    return kind, records


def _take_what_was_refused(self: GroupTransfer) -> None:
    if len(self.meetings) > 1:
        self.take()
    else:
        Transfer.refuse(self)


def _over_at_once(self: SessionLookup, key: int) -> None:
    if key in self._lookups and HUB in self._lookups[key].asked:
        self._forget(key)
        self._repeat(key)
    else:
        _over(self, key)


def _never(*_: object) -> bool:
    return False


def _always(*_: object) -> bool:
    return True


def _nothing(*_: object) -> None:
    pass


def _no_keys(*_: object) -> tuple[int, ...]:
    return ()


NOT_FOLLOWED: Final = "a doubtful copy that moved on is not followed"
DROPPED: Final = "who drops during a return is lost"
UNEXPECTED: Final = "other hosts do not wait for a session that may be on its way"
BELIEVED: Final = "a session is thought to be where it was before"
ONCE_ONLY: Final = "a resume is not tried again"
LEFT: Final = "a session that came and left during its look-up is nowhere"
RETURNED: Final = "a session that returned to the host where it is looked up is nowhere"
MISLED: Final = "a session that another host thinks to be where it is looked up is nowhere"
UNDOUBTED: Final = "a session of which a client may have resumed a copy is resumed"
UNTOLD: Final = "a process to which a session moves is not told that a client may have resumed a copy of it"
RARE: Final = (
    NOT_FOLLOWED,
    DROPPED,
    UNEXPECTED,
    BELIEVED,
    LEFT,
    RETURNED,
    MISLED,
    UNDOUBTED,
    UNTOLD,
)  # found by histories that were written: thousands are drawn without it
MUTANTS: Final[Mapping[str, Mutant]] = MappingProxyType(
    {
        "a source keeps what was taken": lambda: patch.object(Transfer, "take", Transfer.refuse),
        "a home keeps a visitor that it returned": lambda: patch.object(VisitorReturn, "_go", _keep_a_copy),
        "a home lands without GO": lambda: patch.object(MigrationTarget, "_move", _land_in_any_case),
        "a doubtful copy is not forgotten": lambda: patch.object(StaleCopies, "ask", _no_doubt),
        NOT_FOLLOWED: lambda: patch.object(StaleCopies, "_followed", _not_followed),
        "sessions to a dead process are not put back": lambda: patch.object(WorkerTransfer, "dead", _nothing_back),
        "a request is served as often as it comes": lambda: patch.object(Nonces, "take", _any_nonce),
        "bytes read during a return are sent twice": lambda: patch.object(ReturnRecord, "read", property(_read_twice)),
        "bytes read before a return are sent twice": lambda: patch.object(ReturnRecord, "read", property(_held_twice)),
        "of a group that meets others one is forgotten": lambda: patch.object(Imports, "take_all", _forget_the_last),
        "a group that meets others is put back though it was taken": lambda: patch.object(
            GroupTransfer, "take", _keep_a_group
        ),
        "a group that is refused is lost": lambda: patch.object(GroupTransfer, "refuse", _take_what_was_refused),
        ONCE_ONLY: lambda: patch.object(SessionLookup, "_may_move_again", _never),
        DROPPED: lambda: patch.object(TunnelTable, "_drop", _nothing),
        UNEXPECTED: lambda: patch.object(ForwardingTable, "expect", _no_keys),
        "other hosts are not asked once they are known": lambda: patch.object(SessionLookup, "ask_again", _nothing),
        LEFT: lambda: patch.object(SessionLookup, "_follow", _never),
        RETURNED: lambda: patch.object(SessionLookup, "_over", _over_at_once),
        MISLED: lambda: patch.object(SessionLookup, "_await_another", _over),
        UNDOUBTED: lambda: patch.object(StaleCopies, "is_doubted", _never),
        UNTOLD: lambda: patch.object(StaleCopies, "pack", _nothing),
        BELIEVED: lambda: patch.object(SessionLookup, "_is_reached", _always),
        "those of a group that meets others get each other's sockets": lambda: patch.object(
            session_sender, "message_of", _exchange_sockets
        ),
    }
)
