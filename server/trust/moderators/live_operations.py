"""Carry out operators' orders about what runs now: list sessions, end one, pause its video, tell all users something, begin maintenance, set log
levels. The console's page Live and the commands `serendip sessions`, `announce`, `maintenance` and `log level` use it.

**Invariant:** an order about a session is in the audit log before it is carried out, and nothing here returns what a user said, or an address.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final, NamedTuple, Protocol

from server.data.errors import StoreAway
from server.ops import log
from server.ops.health.service_state import ANNOUNCEMENT, MAINTENANCE, BadStatement, ServiceState
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading

MINUTES_MAX: Final = 60  # of a pause of video
PERIOD_MAX: Final = 7 * 24 * 60  # minutes that an announcement holds
STATES: Final = ("idle", "waiting", "chatting", "parted")
# By the action of the audit log: the order's name in the metrics.
ORDERS: Final = {
    "sessions list": "list",
    "sessions end": "end",
    "sessions pause-video": "pause_video",
    "announce": "announce",
    "announce off": "announce_off",
    "maintenance on": "maintenance_on",
    "maintenance off": "maintenance_off",
    "log level": "log_level",
}
COMING: Final = "there is no such session here: an upgrade has yet to move {} of them. Ask again in a moment"
MOVING: Final = "there is no such session (any more), or it moves just now: an upgrade runs. Ask again in a moment"
REPLACED: Final = "last "  # before the name of a process that an upgrade replaces (`server.fleet.ipc.ipc_peers`)
Json = Mapping[str, Any]
logger = log.get()


class OrderRefused(ValueError):
    """An order cannot be carried out. `why`: a word for sentences; the text says it in English."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


class Answered(NamedTuple):
    """Answer of one process. `host`: address of its cluster port, empty for this host; `body` None: it did not answer, `why` says why."""

    host: str
    process: str
    body: Json | None
    why: str


class Outcome(Protocol):
    """An audited action, whose second line says the outcome."""

    outcome: str


class Audit(Protocol):
    """The audit log (`server.data.privacy.live_audit.LiveAudit`)."""

    def act(
        self, operator: str, action: str, why: str, identity: int = 0, address: str = ""
    ) -> AbstractAsyncContextManager[Outcome]:
        """Wrap an order between its two lines. Raises StoreAway."""


class Unaudited:
    """Outcome of an order on a server that stores nothing; the log event names it."""

    outcome = ""


class LiveOperations:
    """Orders of one server. `ask`: sends a request to all processes of all hosts; `find_audit`: returns the audit log, None on a server without a
    store.
    """

    def __init__(
        self,
        ask: Callable[[Json], Awaitable[Sequence[Answered]]],
        service: ServiceState,
        find_audit: Callable[[], Audit | None] = lambda: None,
    ) -> None:
        self._ask = ask
        self._service = service
        self._find_audit = find_audit
        self._tally: Counter[tuple[str, ...]] = Counter(
            {(order, result): 0 for order in ORDERS.values() for result in VALUES["serendip_operator_orders"]["result"]}
        )

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {"serendip_operator_orders": dict(self._tally)}

    def _count(self, action: str, done: bool) -> None:
        self._tally[ORDERS[action], "done" if done else "refused"] += 1

    # sessions

    async def count(self) -> dict[str, Any]:
        """Return how many sessions each process has, their sum by state, and the processes that do not answer."""
        found = await self._ask({"do": "count"})
        states: Counter[str] = Counter()
        rows = []
        for one in found:
            if one.body is not None and "sessions" in one.body:
                states.update(one.body["states"])
                rows.append({"host": one.host, "process": one.process, **one.body})
        return {
            "sessions": sum(row["sessions"] for row in rows),
            "video": sum(row["video"] for row in rows),
            "away": sum(row["away"] for row in rows),
            "states": dict(states),
            "processes": rows,
            "coming": _coming(found),
            "silent": _silent(found),
            "service": self._service.told,
        }

    async def listed(
        self, operator: str, why: str, state: str = "", country: str = "", address: str = ""
    ) -> dict[str, Any]:
        """Return the sessions that are longest in their state: at most 200, of this state, country and address. Raises OrderRefused, StoreAway."""
        if state and state not in STATES:
            raise OrderRefused("state", f"{state}: there is no such state; they are {', '.join(STATES)}")
        if address:
            try:
                address = str(ipaddress.ip_address(address.strip()))
            except ValueError:
                raise OrderRefused("address", "this is no IP address") from None
        _reasoned(why)
        request = {"do": "list", "state": state, "country": country.upper(), "address": address}
        async with self._audited(operator, "sessions list", why, address=address) as act:
            found = await self._ask(request)
            rows = [
                {"host": one.host, "process": one.process, **row}
                for one in found
                for row in (one.body or {}).get("rows", ())
            ]
            rows.sort(key=lambda row: -1.0 if row["seconds"] is None else row["seconds"], reverse=True)
            total = sum((one.body or {}).get("total", 0) for one in found)
            act.outcome = f"{total} sessions"
        self._count("sessions list", True)
        return {"total": total, "rows": rows, "coming": _coming(found), "silent": _silent(found)}

    async def end(self, session: str, operator: str, why: str) -> None:
        """End a session: its user may connect again. Raises OrderRefused, StoreAway."""
        await self._order("sessions end", {"do": "end", "session": session}, operator, why)

    async def pause(self, session: str, minutes: int, operator: str, why: str) -> None:
        """Pause the video of a session's user: a call that runs ends, and its chat continues by text. Raises OrderRefused, StoreAway."""
        if not 1 <= minutes <= MINUTES_MAX:
            raise OrderRefused("minutes", f"a pause is 1 to {MINUTES_MAX} minutes")
        await self._order(
            "sessions pause-video", {"do": "pause", "session": session, "seconds": 60 * minutes}, operator, why
        )

    async def _order(self, action: str, request: Json, operator: str, why: str) -> None:
        _reasoned(why)
        asked = await self._ask({"do": "find", "session": request["session"]})
        whose = next((one.body for one in asked if one.body is not None and "identity" in one.body), None)
        if whose is None:
            self._count(action, False)
            raise OrderRefused("session", _absent(asked))
        done = None
        try:
            async with self._audited(
                operator, action, why, identity=whose["identity"], address=whose["address"]
            ) as act:
                asked = await self._ask(request)
                done = any((one.body or {}).get("done") for one in asked)
                act.outcome = "done" if done else "it had ended"
        except StoreAway:
            if done is None:
                self._count(action, False)
                raise
            logger.warning("operator.unaudited", action=action)  # its first line was written, the outcome was not
        self._count(action, bool(done))
        if not done:
            raise OrderRefused("session", _absent(asked))

    # all users

    async def announce(self, texts: Mapping[str, str], minutes: int, operator: str) -> list[str]:
        """Show a text to all users, for so many minutes (0: until it is withdrawn), in the language of each if it is given. Return the processes that
        did not answer. Raises OrderRefused.
        """
        if not 0 <= minutes <= PERIOD_MAX:
            raise OrderRefused("minutes", f"an announcement is at most {PERIOD_MAX} minutes")
        until = self._service.now + 60 * minutes if minutes else 0
        return await self._state(
            "announce", ANNOUNCEMENT, {"id": secrets.token_hex(8), "texts": texts, "until": until}, operator
        )

    async def withdraw(self, operator: str) -> list[str]:
        """Withdraw the announcement. Return the processes that did not answer."""
        return await self._state("announce off", ANNOUNCEMENT, None, operator)

    async def maintain(self, on: bool, minutes: int, operator: str) -> list[str]:
        """Begin maintenance, which is expected to last so many minutes (0: unknown), or end it. Return the processes that did not answer. Raises
        OrderRefused.
        """
        if not 0 <= minutes <= PERIOD_MAX:
            raise OrderRefused("minutes", f"maintenance is at most {PERIOD_MAX} minutes")
        body = {"until": self._service.now + 60 * minutes if minutes else 0} if on else None
        return await self._state("maintenance on" if on else "maintenance off", MAINTENANCE, body, operator)

    async def _state(self, action: str, kind: str, body: Json | None, operator: str) -> list[str]:
        try:
            rows = self._service.state(kind, body)
        except BadStatement as bad:
            raise OrderRefused("text", str(bad)) from None
        return await self._change(action, {"do": "service", "rows": rows}, operator)

    async def set_level(self, group: str, level: str, operator: str) -> list[str]:
        """Set the level of a group of log events in all processes, until they end. Return those that did not answer. Raises OrderRefused."""
        return await self._change("log level", {"do": "log", "group": group, "level": level}, operator)

    async def _change(self, action: str, request: Json, operator: str) -> list[str]:
        """Send a request that concerns no single user. It is carried out while the database is away, too."""
        logger.info("operator.ordered", action=action)
        found = await self._ask(request)
        errors = [str(one.body["error"]) for one in found if one.body is not None and "error" in one.body]
        audit = self._find_audit()
        if audit is not None:
            try:
                async with audit.act(operator, action, "") as act:
                    act.outcome = f"refused: {errors[0]}" if errors else "done"  # others may have carried it out
            except StoreAway:
                logger.warning("operator.unaudited", action=action)
        self._count(action, not errors)
        if errors:
            raise OrderRefused("text", errors[0])
        return _silent(found)

    def _audited(
        self, operator: str, action: str, why: str, identity: int = 0, address: str = ""
    ) -> AbstractAsyncContextManager[Outcome]:
        logger.info("operator.ordered", action=action)
        audit = self._find_audit()
        if audit is None:
            return nullcontext(Unaudited())
        return audit.act(operator, action, why, identity, address)

    async def handle(self, request: Json) -> dict[str, Any]:
        """Carry out the request of a command, and return the last line of its answer (`server.ops.process.control_socket`)."""
        try:
            return {"done": True, **await self._handle(request)}
        except (OrderRefused, BadStatement) as refused:
            return {"done": False, "said": str(refused)}
        except StoreAway:
            return {
                "done": False,
                "said": "the database is away: an order about a session must be in the audit log first",
            }

    async def _handle(self, request: Json) -> dict[str, Any]:
        match request:
            case {"do": "count"}:
                return await self.count()
            case {
                "do": "list",
                "operator": str(operator),
                "why": str(why),
                "state": str(state),
                "country": str(country),
                "address": str(at),
            }:
                return await self.listed(operator, why, state, country, at)
            case {"do": "end", "session": str(session), "operator": str(operator), "why": str(why)}:
                await self.end(session, operator, why)
                return {}
            case {
                "do": "pause",
                "session": str(session),
                "minutes": int(minutes),
                "operator": str(operator),
                "why": str(why),
            }:
                await self.pause(session, minutes, operator, why)
                return {}
            case {"do": "announce", "texts": {**texts}, "minutes": int(minutes), "operator": str(operator)} if texts:
                return {"silent": await self.announce(_strings(texts), minutes, operator)}
            case {"do": "announce", "operator": str(operator)}:
                return {"silent": await self.withdraw(operator)}
            case {"do": "maintenance", "on": bool(on), "minutes": int(minutes), "operator": str(operator)}:
                return {"silent": await self.maintain(on, minutes, operator)}
            case {"do": "log", "group": str(group), "level": str(level), "operator": str(operator)}:
                return {"silent": await self.set_level(group, level, operator)}
        raise OrderRefused("request", "this server knows no such request")


def _strings(texts: Mapping[object, object]) -> dict[str, str]:
    """Return texts by language. Raises OrderRefused."""
    found = {language: text for language, text in texts.items() if isinstance(language, str) and isinstance(text, str)}
    if len(found) < len(texts):
        raise OrderRefused("text", "a text is a string")
    return found


def _reasoned(why: str) -> None:
    if not why.strip():
        raise OrderRefused("why", "say why: it is written to the audit log")


def _absent(found: Sequence[Answered]) -> str:
    """Return why no process has a session."""
    if coming := _coming(found):
        return COMING.format(coming)
    return MOVING if any(one.process.startswith(REPLACED) for one in found) else "there is no such session (any more)"


def _coming(found: Sequence[Answered]) -> int:
    """Return how many sessions are still in a server of one process that an upgrade replaces, which is not asked."""
    return sum(one.body.get("coming", 0) for one in found if one.body is not None)


def _silent(found: Sequence[Answered]) -> list[str]:
    return [" ".join(filter(None, (one.host, one.process))) + f": {one.why}" for one in found if one.body is None]
