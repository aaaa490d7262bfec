"""The tunnels of one process: people of this host's door whose sessions are at other hosts, and their way back.

Rule: a person is their home's until it gave them back whole or is gone; then they are here, with the same token. Nobody is at two hosts.

    the home                          this host, the edge                             whose they are
    talks                             has what it knew as they left (`kept`)          the home's
    releases them: nobody there       –                                               nobody's, a moment
    frame P, whole                    half-closes the way                             the edge's, once it ended
    reads to the end, frames B, E     collects
    closes                            the way ended: they are here                    the edge's

    cut before a byte of P            the home has them still: as any end of a way, below
    cut in P                          nobody has them, and the client comes back; the home never takes back what it began to say
    cut behind P, before E            P; what the home read since is lost, but for a message that is not whole: told `no_session`, they ask again
    the client gone before P          nobody has them: they were leaving as they said it
    the client gone behind P          P, as somebody whose connection dropped         the edge's
    the way broken, its host is there an end of the client's connection              the home's, if it has them; as somebody who dropped out
    the home gone, of who talks       `kept`, idle, and told `left` by `lost`         the edge's
    the home gone, of anybody else    an end of the client's connection              nobody's

A way whose other end closed it behind a whole frame is that of a process that died; a reset, silence or half a frame is a way that broke.
Had the home not said a word to the client, then however that came `kept` is here as it was when it left, with what was asked for: they know
nothing of a home. Where `kept` is here a home that may live is told to forget them. Who is told to come back comes back by their token: their
session is found where it is, or they are told that it is gone and ask anew. So a client that asked for something which nobody has any more,
a search, never waits for it, and what its frames say is known only as far as `ext/migrate/tunnel_state.pyx` knows whether it talks. With `kept`
is `last`: whom they talk with, or did last, without a word of it, so that they may report and block that one; and what they asked to be saved,
which is not. The home says it anew (`homeward`, L) as it changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from engine.engine import BadRecord, Session, SessionRecord
from engine.views import error, left
from engine.wire.protocol import FAULTS, RECORD, TUNNEL_BROKE, TUNNEL_CLOSED, TUNNEL_LEFT
from ext.migrate.tunnel_moves import prepare
from server.fleet.roaming.return_record import ReturnRecord, bytes_of, key_of, read_last
from server.ops import log
from server.ops.metrics.exposition import Reading
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.migration_metrics import ENDS, MOVE_BOUNDS
from server.ops.process import fault_points
from server.realtime.worker.connection_moves import Moving, ask_again, unheard
from server.realtime.worker.tunnel_records import Leaving
from server.realtime.worker.worker_loop import Worker

# What is not of use once somebody left: where they sat, and what this process knows of them anyway (`Moves.steady`).
NOT_KEPT: Final = frozenset(
    ("wire", "seat", "past", "finds", "met", "made", "got", "conduct", "age", "paused", "tokens", "trial", "away")
)
OF_A_SEARCH: Final = ("state", "query", "resume")
OF_A_TUNNEL: Final = ("visitor", "spoke", "talks")
SPREAD: Final = 2_000  # clients a second that are told to come back at once
_spread = random.SystemRandom().uniform
logger = log.get()

Forget = Callable[[str, Sequence[tuple[int, int]]], None]


def unnoticed(_: Sequence[Session]) -> None:
    """Nobody is to be told."""


def nobody_forgets(_: str, __: Sequence[tuple[int, int]]) -> None:
    """Where no other host can be asked to."""


def nobody_there(_: str) -> bool:
    """Where no other host is known."""
    return False


class Tunnel:
    """One of them. `kept`: JSON; `since`: monotonic seconds."""

    __slots__ = ("coming", "ended", "home", "kept", "key", "number", "since")

    def __init__(self, home: str, kept: str, key: int, since: float) -> None:
        self.number = 0
        self.home = home
        self.kept = kept
        self.key = key
        self.since = since
        self.coming: ReturnRecord | None = None  # as they go back
        self.ended = 0.0  # when their way back began


class TunnelTable:
    """Of one process. Call it in the loop."""

    def __init__(
        self,
        worker: Worker,
        forget: Forget = nobody_forgets,
        is_heard: Callable[[str], bool] = nobody_there,
        on_returned: Callable[[Sequence[Session]], None] = unnoticed,
    ) -> None:
        """`forget`: ask a process of another host, which may live, to forget sessions (their ids and keys); `is_heard`: whether the host of a
        process is heard; `on_returned`: called with the sessions that are here again."""
        self._worker = worker
        self._moving = Moving(worker)
        self.forget = forget
        self._is_heard = is_heard
        self.on_returned = on_returned
        self._open: dict[int, Tunnel] = {}
        self._over: list[tuple[Tunnel, int]] = []  # what ended in this turn, and how
        self.ends = Counter(dict.fromkeys(ENDS, 0))
        self._seconds = Histogram(MOVE_BOUNDS)  # out of service on the way back

    def __len__(self) -> int:
        return len(self._open) + len(self._over)

    def open(
        self, client: int, address: str, state: dict[str, Any], data: bytes, sock: socket.socket, record: Mapping[str, Any], home: str
    ) -> None:  # fmt: skip
        """Somebody is another host's.

        `client`, `address`: their connection; `state`: of it what `Reactor.release` said of `input` and `out`, and `opcode` where pieces of a message
        went along; `data`: those bytes; `sock`: the way to their home, the process of this name; `record`: theirs, as it went,
        and as `last` what `engine.migrate.record_fields.bare` gives of it.

        Both descriptors are this process's from here on. Where it cannot be done the client comes back by itself. ValueError: they are a
        visitor here, who goes to no third host; nothing was taken.
        """
        if state.get("visitor"):
            raise ValueError("a visitor goes back before they go on")
        size = state.get("input", 0)
        kept = {name: value for name, value in record.items() if name not in NOT_KEPT}
        # as text: what orjson gives is as large as its work space
        tunnel = Tunnel(home, orjson.dumps(kept).decode(), key_of(record), time.monotonic())
        with contextlib.suppress(OSError):  # it is broken already: the reactor will find that
            prepare(sock)
        try:
            tunnel.number = self._worker.reactor.pipe(
                client, address, sock.detach(), data[size:], data[:size], tunnel, within="opcode" in state
            )
        except (OSError, ValueError):
            self.ends["failed"] += 1
            return
        self._open[tunnel.number] = tunnel
        self._worker.act(lambda _: None)

    def reading(self) -> Reading:
        """A source of metrics."""
        counts = self._worker.reactor.counters()
        return {
            "serendip_tunnels": self._worker.reactor.tunnels,
            "serendip_tunnel_reads": counts["tunnelled"],
            "serendip_tunnel_bytes": counts["tunnel_bytes"],
            "serendip_tunnels_ended": {(why,): count for why, count in self.ends.items()},
            "serendip_tunnel_return_seconds": self._seconds.reading(),
        }

    # what the reactor tells

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """See `Tunnelling`. What ended goes on behind this turn, for it makes one of its own."""
        tunnel = self._open.get(number)
        if tunnel is None or tunnel is not owner:
            return
        if kind == RECORD:
            said = read_last(data)
            if said is None:
                self._came(tunnel, data)
            else:
                tunnel.kept = orjson.dumps({**orjson.loads(tunnel.kept), "last": said}).decode()
            return
        del self._open[number]
        if not self._over:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._over.append((tunnel, data))

    def _came(self, tunnel: Tunnel, payload: bytes) -> None:
        if tunnel.coming is None:
            tunnel.coming = ReturnRecord()
        if tunnel.coming.take(payload, tunnel.key):
            tunnel.ended = time.monotonic()
            self._worker.reactor.half_close(tunnel.number)
            fault_points.at("coming")

    def _go_on(self) -> None:
        over, self._over = self._over, []
        for tunnel, how in over:
            came = tunnel.coming is not None and tunnel.coming.parcel is not None
            if how == TUNNEL_CLOSED:
                self.ends["closed"] += 1
            elif how == TUNNEL_LEFT:
                self.ends["left"] += 1
                if came:
                    self._drop(tunnel)
            elif came:
                fault_points.at("returned")
                self._return(tunnel)
                fault_points.at("back")
            else:
                self._bereave(tunnel, how)

    # back

    def _return(self, tunnel: Tunnel) -> None:
        """Their home gave them back."""
        coming = tunnel.coming
        parcel = None if coming is None else coming.parcel
        if coming is None or parcel is None:
            return
        wire = parcel.record["people"][0]["wire"]
        held, size = bytes_of(wire, parcel.blobs), wire.get("input", 0)
        found = self._worker.reactor.unpipe(tunnel.number, held[:size] + coming.read if coming.whole else None)
        if found is None:
            self.ends["left"] += 1
            self._drop(tunnel)
            return
        descriptor, address, state, data = found
        for name in ("confirm", "paused", "pinged", "tokens"):
            if name in wire:
                state[name] = wire[name]
        if coming.whole and "opcode" in wire:
            part, at = held[size:], state.get("input", 0)
            state |= {"opcode": wire["opcode"], **({"part": len(part)} if part else {})}
            data = data[:at] + part + data[at:]
        greet = unheard if coming.whole else self._tell_to_ask
        if self._take(parcel, (address, state, data), descriptor, greet):
            self.ends["returned" if coming.whole else "cut"] += 1
            self._seconds.add(time.monotonic() - tunnel.ended)
        else:
            self.ends["failed"] += 1

    def _drop(self, tunnel: Tunnel) -> None:
        """Their home gave them back, and their connection is gone: they may come back."""
        if tunnel.coming is not None and tunnel.coming.parcel is not None:
            self._take(tunnel.coming.parcel, None, -1)

    def _bereave(self, tunnel: Tunnel, how: int) -> None:
        """Their home is gone, or the way to it. A process that dies ends its connections, mostly; a way breaks."""
        found = self._worker.reactor.unpipe(tunnel.number, None)
        if found is None:  # they come back by themselves: to their home, where it lives
            self.ends["failed"] += 1
            return
        descriptor, address, state, data = found
        one, spoke = orjson.loads(tunnel.kept), "spoke" in state
        if spoke and ("talks" not in state or (how == TUNNEL_BROKE and self._is_heard(tunnel.home))):
            self.ends["dropped"] += 1
            self._send_away(found, lambda: round(_spread(0.0, 0.1 + len(self) / SPREAD), 2))
            self._worker.act(lambda _: None)
            return
        last = one.pop("last", {})
        chats = last.pop("chats", [])
        query = one.get("query")
        if spoke:
            one = {name: value for name, value in one.items() if name not in OF_A_SEARCH}
        elif query is not None and "age" in query:
            query["age"] += time.monotonic() - tunnel.since
        parcel = SessionRecord({"v": self._worker.engine.moves.versions[1], "people": [one | last], "chats": chats}, [])
        came = self._take(parcel, (address, state, data), descriptor, self._tell_lost if spoke else unheard)
        self.ends["lost" if came else "failed"] += 1
        if came:
            self.forget(tunnel.home, [(one["id"], tunnel.key)])

    def _tell_lost(self, session: Session) -> None:
        """Their partner is gone with the home."""
        if session.conn:
            self._worker.output.send(session.conn, left("lost", None))

    def _tell_to_ask(self, session: Session) -> None:
        """What they asked for last may be nowhere."""
        if session.conn:
            self._worker.output.send(session.conn, error("no_session", "resume", None))

    def _take(
        self,
        parcel: SessionRecord,
        wire: tuple[str, dict[str, Any], bytes] | None,
        descriptor: int,
        greet: Callable[[Session], None] = unheard,
    ) -> list[Session]:
        """They are here from now on; nobody: they cannot be, and the descriptor is closed. `greet`: see `Moving.take`."""
        (one,) = parcel.record["people"]
        one = {name: value for name, value in one.items() if name != "wire"}
        blobs = list(parcel.blobs)
        if wire is not None:
            address, state, data = wire
            for name in OF_A_TUNNEL:
                state.pop(name, None)
            one["wire"] = state
            if address != one.get("address"):
                state["address"] = address
            if data:
                state["bytes"] = len(blobs)
                blobs.append(data)
        try:
            came = self._moving.take(
                SessionRecord({**parcel.record, "people": [one]}, blobs), [descriptor], greet=greet
            )
        except BadRecord as bad:
            logger.error("handover.refused", people=1, **log.described(bad))
            if descriptor >= 0:
                os.close(descriptor)
            return []
        self.on_returned(came)
        ask_again(self._worker, came)
        self._worker.look_again(came)  # a ban that came between was nobody's
        return came

    # to another process of this host

    def release(self, most: int) -> list[Leaving]:
        """See `Tunnelling`. Who is on their way back goes as a person, when they are here."""
        found: list[Leaving] = []
        if self._worker.busy or self._over:
            return found
        for number, tunnel in list(self._open.items()):
            if len(found) >= most:
                break
            gone = self._worker.reactor.release_tunnel(number) if tunnel.coming is None else None
            if gone is None:
                continue
            client, address, home, state, data = gone
            del self._open[number]
            age = time.monotonic() - tunnel.since
            record = [address, state, tunnel.home, tunnel.kept, tunnel.key, age]
            found.append(Leaving(record, data, client, home))
        return found

    def take(self, leaving: Leaving) -> None:
        """See `Tunnelling`."""
        address, state, home, kept, key, age = leaving.record
        tunnel = Tunnel(home, kept, key, time.monotonic() - age)
        try:
            tunnel.number = self._worker.reactor.take_tunnel(
                leaving.client, address, leaving.home, state, leaving.data, tunnel
            )
        except (OSError, ValueError):
            self.ends["failed"] += 1
            return
        self._open[tunnel.number] = tunnel

    def turn_out(self, after: Callable[[], float]) -> None:
        """See `Tunnelling`. Between two whole frames this host may speak."""
        reactor = self._worker.reactor
        for number in list(self._open):
            del self._open[number]
            self.ends["turned_out"] += 1
            found = reactor.unpipe(number, None)
            if found is not None:
                self._send_away(found, after)
        self._worker.act(lambda _: None)

    def _send_away(self, client: tuple[int, str, dict[str, Any], bytes], after: Callable[[], float]) -> None:
        """Somebody's connection ends, behind a whole frame; they are told in how many seconds to come back."""
        descriptor, address, state, data = client
        size = state.pop("input", 0)  # it says again there what was not taken
        for name in OF_A_TUNNEL:
            state.pop(name, None)
        with contextlib.suppress(OSError, ValueError):
            conn = self._worker.reactor.take(descriptor, address, state, data[size:], None)
            self._worker.reactor.close(conn, FAULTS["restart"].close, error("restart", None, None, after()))
