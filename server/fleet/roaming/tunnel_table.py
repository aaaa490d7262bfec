"""Keep the tunnels of one process, and take sessions back from them. A tunnel joins a client connected to this host (the edge) to its session at
another host (the home).

**Invariant:** no session is at two hosts. The home owns a session until it was returned completely or the home died; then the edge owns it,
under the same token.
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
from engine.wire.protocol import FAULTS, HALVED, RECORD, TUNNEL_BROKE, TUNNEL_CLOSED, TUNNEL_LEFT
from ext.migrate.tunnel_transfer import prepare
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.roaming.session_return_frames import ReturnRecord, bytes_of, key_of, read_last
from server.ops import log
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.migration_metrics import ENDS, MOVE_BOUNDS
from server.ops.process import fault_points
from server.realtime.worker.session_moves import SessionMoves, ask_again, unheard
from server.realtime.worker.tunnel_interface import ReleasedTunnel
from server.realtime.worker.worker_loop import Worker

# Fields that are of no use once a session left: its seat, and what this process knows of it anyway (`Moves.steady`).
NOT_KEPT: Final = frozenset(
    ("wire", "seat", "past", "finds", "met", "made", "got", "conduct", "age", "paused", "tokens", "trial", "away")
)
OF_A_SEARCH: Final = ("state", "query", "resume")
OF_A_TUNNEL: Final = ("visitor", "spoke", "talks")
SPREAD: Final = 2_000  # clients a second that may return at once
_spread = random.SystemRandom().uniform
logger = log.get()

Forget = Callable[[str, Sequence[tuple[int, int]]], None]


def unnoticed(_: Sequence[Session]) -> None:
    """Do nothing."""


def no_forget_request(_: str, __: Sequence[tuple[int, int]]) -> None:
    """Do nothing: no other host can be asked."""


def no_other_host(_: str) -> bool:
    """Return False: no other host is known."""
    return False


class Tunnel:
    """One tunnel. `kept`: JSON; `since`: monotonic seconds."""

    __slots__ = ("coming", "ended", "expected", "home", "kept", "key", "moves", "number", "since")

    def __init__(self, home: str, kept: str, key: int, since: float) -> None:
        self.number = 0
        self.home = home
        self.kept = kept
        self.key = key
        self.since = since
        self.coming: ReturnRecord | None = None  # as the session returns
        self.ended = 0.0  # when the return began
        self.moves: tuple[int, ...] = ()  # what `ForwardingTable.sent` returned then
        self.expected: tuple[int, ...] = ()  # what `expect` returned as the client dropped


class TunnelTable:
    """Tunnels of one process. Call it in the loop.

    The return of a session, and its owner after a cut at each point:

        the home                          this host, the edge                             owner
        in a chat                         keeps the record of the session (`kept`)        home
        releases the session              –                                               neither, for a moment
        frame P, whole                    half-closes the connection                      edge, once that ended
        reads to the end, frames B, E     collects
        closes                            the connection ended: the session is here       edge

        cut before a byte of P            the home has it still: like any end of a connection, below
        cut in P                          neither has it, and the client returns; the home never takes back what it began to send
        cut behind P, before E            P; what the home read since is lost, except an unfinished message: with `no_session` the client asks again,
                                          unless it waits for its resume, which is in P
        the client gone, P comes or came  P, as a session whose connection dropped        edge
        the client gone with a goodbye    neither has it, unless P came before            -, or edge
        connection broken, home alive     the client's connection ends                    home, if it has it; as after a drop
        home gone, in a chat              `kept`, idle, and the client gets `left` (lost) edge
        home gone, otherwise              the client's connection ends                    neither
        before the answer to `resume`     the client's connection ends                    home, if it has it; as after a drop

    If the client drops, the edge half-closes the connection, by which the home notices it, and reads the home to its end, for 3 s at most: the
    session may be on its way; other hosts that ask for it meanwhile are answered at that end. (A client that returns to this host before P, over a
    connection slower than a look-up waits, receives `no_session`.)

    A connection that its other end closed behind a whole frame is that of a process that died; a reset, silence or half a frame is a broken
    connection. If the home had not sent a byte to the client, then `kept` is restored as it left, however the connection ended: the client
    knows nothing of a home. But a session that came only to resume is dropped: the home may have given its key to the other one. When `kept` is
    restored a home that may live is asked to forget the session. A client that must return does so by its token: its session is found, or it
    learns that it is gone and asks anew. So a client never waits for a request that no process has any more; of its frames only as much is known
    as `ext/migrate/tunnel_client_state.pyx` knows: whether it is in a chat. `kept` includes `last`: the present or last partner, without a line
    of the chat, so that the user may report and block; and requested saves, which are not. The home sends it anew (frame L of
    `session_return_frames`) as it changes.
    """

    def __init__(
        self,
        worker: Worker,
        forget: Forget = no_forget_request,
        is_heard: Callable[[str], bool] = no_other_host,
        on_returned: Callable[[Sequence[Session]], None] = unnoticed,
        forwarding: ForwardingTable | None = None,
    ) -> None:
        """`forget`: asks a process of another host, which may live, to forget sessions (ids and keys); `is_heard`: whether the host of a process
        is alive; `on_returned`: called with the sessions that are here again; `forwarding`: keeps requests for a session that returns.
        """
        self._worker = worker
        self._moving = SessionMoves(worker)
        self.forget = forget
        self._is_heard = is_heard
        self.on_returned = on_returned
        self._forwarding = forwarding
        self._open: dict[int, Tunnel] = {}
        self._over: list[tuple[Tunnel, int]] = []  # tunnels that ended in this turn, and how
        self.ends = Counter(dict.fromkeys(ENDS, 0))
        self._seconds = Histogram(MOVE_BOUNDS)  # out of service during the return

    def __len__(self) -> int:
        return len(self._open) + len(self._over)

    def open(
        self, client: int, address: str, state: dict[str, Any], data: bytes, sock: socket.socket, record: Mapping[str, Any], home: str
    ) -> None:  # fmt: skip
        """Open a tunnel: a session of this host has moved.

        `client`, `address`: the client's connection; `state`: of it what `Reactor.release` gave of `input` and `out`, and `opcode` if parts
        of a message moved; `data`: those bytes; `sock`: the connection to the home, the process of this name; `record`: the session's, as it
        moved, and as `last` what `engine.migrate.record_fields.bare` gives of it.

        Both descriptors are this process's from here on. If it fails the client returns by itself. Raises ValueError: the session is a
        visitor here, which moves to no third host; nothing was accepted.
        """
        if state.get("visitor"):
            raise ValueError("a visitor goes back before they go on")
        size = state.get("input", 0)
        kept = {name: value for name, value in record.items() if name not in NOT_KEPT}
        # as text: the bytes of orjson are as large as its buffer
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
        """Return the metrics."""
        counts = self._worker.reactor.counters()
        return {
            "serendip_tunnels": self._worker.reactor.tunnels,
            "serendip_tunnel_reads": counts["tunnelled"],
            "serendip_tunnel_bytes": counts["tunnel_bytes"],
            "serendip_tunnels_ended": {(why,): count for why, count in self.ends.items()},
            "serendip_tunnel_return_seconds": self._seconds.reading(),
        }

    # events of the reactor

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """Handle an event of the reactor, see `Tunnelling`. What ended is handled behind this turn, because it makes a turn of its own."""
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
        if kind == HALVED:
            if self._forwarding is not None:
                tunnel.expected = self._forwarding.expect(orjson.loads(tunnel.kept))
            return
        del self._open[number]
        if not self._over:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._over.append((tunnel, data))

    def _came(self, tunnel: Tunnel, payload: bytes) -> None:
        if tunnel.coming is None:
            tunnel.coming = ReturnRecord()
        if tunnel.coming.take(payload, tunnel.key) and (came := tunnel.coming.session_record) is not None:
            tunnel.ended = time.monotonic()
            if self._forwarding is not None:
                tunnel.moves = self._forwarding.sent(came.record["people"])
            self._worker.reactor.half_close(tunnel.number)
            fault_points.at("coming")

    def _go_on(self) -> None:
        over, self._over = self._over, []
        for tunnel, how in over:
            came = tunnel.coming is not None and tunnel.coming.session_record is not None
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
            if self._forwarding is not None:
                self._forwarding.ended(tunnel.moves, None)
                self._forwarding.expect_no_more(tunnel.expected)

    # return

    def _return(self, tunnel: Tunnel) -> None:
        """Put in a session that its home returned."""
        coming = tunnel.coming
        session_record = None if coming is None else coming.session_record
        if coming is None or session_record is None:
            return
        wire = session_record.record["people"][0]["wire"]
        held, size = bytes_of(wire, session_record.blobs), wire.get("input", 0)
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
        resumes = "resume" in session_record.record["people"][0]  # who waits for that has sent nothing behind it
        greet = unheard if coming.whole or resumes else self._tell_to_ask
        if self._take(session_record, (address, state, data), descriptor, greet):
            self.ends["returned" if coming.whole else "cut"] += 1
            self._seconds.add(time.monotonic() - tunnel.ended)
        else:
            self.ends["failed"] += 1

    def _drop(self, tunnel: Tunnel) -> None:
        """Put in a session that its home returned, and whose connection is gone: its client may return."""
        if tunnel.coming is not None and tunnel.coming.session_record is not None:
            self._take(tunnel.coming.session_record, None, -1)

    def _bereave(self, tunnel: Tunnel, how: int) -> None:
        """Handle the end of a tunnel without a return: a process that dies mostly closes its connections, a connection breaks otherwise."""
        found = self._worker.reactor.unpipe(tunnel.number, None)
        if found is None:  # the client returns by itself: to the home, if it lives
            self.ends["failed"] += 1
            return
        descriptor, address, state, data = found
        one, spoke = orjson.loads(tunnel.kept), "spoke" in state
        in_lost_chat = "talks" in state and not (how == TUNNEL_BROKE and self._is_heard(tunnel.home))
        if (spoke and not in_lost_chat) or (not spoke and "resume" in one):
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
        session_record = SessionRecord(
            {"v": self._worker.engine.moves.versions[1], "people": [one | last], "chats": chats}, []
        )
        came = self._take(session_record, (address, state, data), descriptor, self._tell_lost if spoke else unheard)
        self.ends["lost" if came else "failed"] += 1
        if came:
            self.forget(tunnel.home, [(one["id"], tunnel.key)])

    def _tell_lost(self, session: Session) -> None:
        """Tell a client that its partner is gone with the home."""
        if session.conn:
            self._worker.output.send(session.conn, left("lost", None))

    def _tell_to_ask(self, session: Session) -> None:
        """Tell a client to repeat its last request, which may be nowhere."""
        if session.conn:
            self._worker.output.send(session.conn, error("no_session", "resume", None))

    def _take(
        self,
        session_record: SessionRecord,
        wire: tuple[str, dict[str, Any], bytes] | None,
        descriptor: int,
        greet: Callable[[Session], None] = unheard,
    ) -> list[Session]:
        """Put a session in; none: it is unreadable, and the descriptor is closed. `greet`: see `SessionMoves.take`."""
        (one,) = session_record.record["people"]
        one = {name: value for name, value in one.items() if name != "wire"}
        blobs = list(session_record.blobs)
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
                SessionRecord({**session_record.record, "people": [one]}, blobs), [descriptor], greet=greet
            )
        except BadRecord as bad:
            logger.error("migration.refused", people=1, **log.described(bad))
            if descriptor >= 0:
                os.close(descriptor)
            return []
        self.on_returned(came)
        ask_again(self._worker, came)
        self._worker.look_again(came)  # a ban that came meanwhile met no session
        return came

    # to another process of this host

    def release(self, most: int) -> list[ReleasedTunnel]:
        """Release tunnels to another process of this host, see `Tunnelling`. A session on its way back moves as a session, once it is here."""
        found: list[ReleasedTunnel] = []
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
            found.append(ReleasedTunnel(record, data, client, home))
        return found

    def take(self, leaving: ReleasedTunnel) -> None:
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
        """Close all tunnels, see `Tunnelling`. Between two whole frames this host may send."""
        reactor = self._worker.reactor
        for number in list(self._open):
            del self._open[number]
            self.ends["turned_out"] += 1
            found = reactor.unpipe(number, None)
            if found is not None:
                self._send_away(found, after)
        self._worker.act(lambda _: None)

    def _send_away(self, client: tuple[int, str, dict[str, Any], bytes], after: Callable[[], float]) -> None:
        """End a client's connection behind a whole frame, with the number of seconds after which to return."""
        descriptor, address, state, data = client
        size = state.pop("input", 0)  # the client repeats there what was not accepted
        for name in OF_A_TUNNEL:
            state.pop(name, None)
        with contextlib.suppress(OSError, ValueError):
            conn = self._worker.reactor.take(descriptor, address, state, data[size:], None)
            self._worker.reactor.close(conn, FAULTS["restart"].close, error("restart", None, None, after()))
