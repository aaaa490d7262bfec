"""Serve `/api/moderation`: cases, decisions and new cases for programs of moderators, by a bearer token made at `/tokens`.

**Invariant:** a program may do what its moderator may do without a fresh passkey, by the same owner (`CaseWork`) and the same audit lines; what
needs a passkey or two moderators stays in the console. Pictures are not served.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import web

from server.data.errors import Busy, ObjectsAway, StoreAway
from server.ops.config.moderation_policy import AGE, PEOPLE, URGENT
from server.trust.cases.case_base import Missing, Taken
from server.trust.cases.case_feed import CaseFeed, FeedEvent
from server.trust.console import case_records
from server.trust.console.case_access import may_see
from server.trust.decisions.case_batches import CaseBatches
from server.trust.moderators.api_tokens import ApiTokens, Bearer, Scope
from server.trust.moderators.roles import Action
from server.trust.sanctions.sanction_scale import Beyond, Decision, Grade, Refused

PREFIX: Final = "/api/moderation"
CASE: Final = f"{PREFIX}/cases/{{case:[0-9a-f]{{32}}}}"
BODY_SECONDS: Final = 10.0
HEARTBEAT: Final = 15.0  # seconds; the token is checked again at each
STREAMS: Final = 4  # open streams of one token
RETRY: Final = 3000  # milliseconds after which a program connects again
CONFLICTS: Final = {"refused.decided", "refused.aged", "refused.undo", "refused.appealed"}
FIELDS: Final[dict[str, type]] = {"measure": str, "rule": str, "seconds": int, "words": str}
NEEDS: Final = {Grade.LEAD: "lead", Grade.PAIR: "pair"}

Handler = Callable[[web.Request, Bearer], Awaitable[web.StreamResponse]]


class BadBody(Exception):
    """A request's body that cannot be read; the text is the field, or empty."""


class ModerationApi:
    """Handlers."""

    def __init__(self, tokens: ApiTokens, desk: CaseBatches, feed: CaseFeed) -> None:
        self._tokens = tokens
        self._desk = desk
        self._feed = feed
        self._streams: Counter[str] = Counter()  # open ones by token

    async def cases(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`GET /api/moderation/cases?queue=people`: the sizes of the queues, and one queue's first cases."""
        queue, counts = request.query.get("queue", PEOPLE), await self._desk.counts()
        if not bearer.operator.may(Action.CHILD):
            del counts[URGENT]
        if queue not in counts:
            return refusal(404, "missing")
        listed = await self._desk.cases(queue)
        return answer(
            {
                "queue": queue,
                "queues": {name: {"open": one.open, "oldest": one.oldest} for name, one in counts.items()},
                "cases": [case_records.listed(one) for one in listed],
            }
        )

    async def show(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`GET /api/moderation/cases/ID`: a case with the text of its chats. It is not claimed."""
        found = await self._desk.show(request.match_info["case"], bearer.operator.name, bearer.why)
        return answer(case_records.opened(found, lambda queue: may_see(queue, bearer.operator)))

    async def claim(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`POST /api/moderation/cases/ID/claim`: claim it for 15 minutes, or again."""
        await self._desk.claim(request.match_info["case"], bearer.operator.name)
        return web.Response(status=204)

    async def release(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`POST /api/moderation/cases/ID/release`: release it, if it is claimed by this moderator."""
        await self._desk.release(request.match_info["case"], bearer.operator.name)
        return web.Response(status=204)

    async def decide(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`POST /api/moderation/cases/ID/decide`: `measure`, `rule`, `seconds`, `words`."""
        ident, name = request.match_info["case"], bearer.operator.name
        try:
            chosen = await decision(request)
        except BadBody as bad:
            return refusal(400, "bad_field", field=str(bad))
        if chosen.measure == AGE and not bearer.operator.may(Action.CHILD):
            raise Refused("refused.age")
        chosen = await self._desk.stepped(ident, chosen)
        effect = await self._desk.decide(ident, name, bearer.why, chosen, Grade.OPERATOR)
        mine = await self._desk.undoable_decision(ident, name)
        return answer(
            {
                "measure": chosen.measure,
                "rule": chosen.rule,
                "seconds": chosen.seconds,
                "effect": effect,
                "undo": mine.undo if mine else None,
            }
        )

    async def undo(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`POST /api/moderation/cases/ID/undo`: undo this moderator's decision of a moment ago."""
        await self._desk.undo(request.match_info["case"], bearer.operator.name)
        return web.Response(status=204)

    async def events(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """`GET /api/moderation/events`: new cases as server-sent events."""
        if self._streams[bearer.token.id] >= STREAMS:
            return refusal(429, "streams", headers={"Retry-After": "5"}, most=STREAMS)
        self._streams[bearer.token.id] += 1
        try:
            await self._feed.look()
            return await self._follow(request, bearer)
        finally:
            self._streams[bearer.token.id] -= 1
            self._streams += Counter()  # drops what is 0

    async def _follow(self, request: web.Request, bearer: Bearer) -> web.StreamResponse:
        """Send events until the client leaves, the token ends, the store is away or the server stops."""
        response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})  # nginx passes each event on at once
        response.content_type = "text/event-stream"
        await response.prepare(request)
        place, loop = request.headers.get("Last-Event-ID", ""), asyncio.get_running_loop()
        hello = "ready" if not place or self._feed.after(place) is not None else "reset"
        if not place or hello == "reset":
            place = self._feed.place()
        text, checked = f"retry: {RETRY}\n{sse(hello, place, {})}", loop.time()
        try:
            while True:
                events = self._feed.after(place)
                if events is None:
                    place = self._feed.place()
                    text += sse("reset", place, {})
                for event in events or ():
                    place = self._feed.place(event.number)
                    text += self._told(event, place, bearer)
                if loop.time() - checked >= HEARTBEAT:
                    again = await self._tokens.find(_secret(request))
                    if again is None or not _granted(again, Scope.STREAM):
                        break
                    bearer, checked, text = again, loop.time(), text or ":\n\n"
                if text:
                    await response.write(text.encode())
                    text = ""
                if not await self._feed.pause():
                    break
                await self._feed.look()
            await response.write_eof()
        except (StoreAway, ConnectionError):
            response.force_close()
        return response

    @staticmethod
    def _told(event: FeedEvent, place: str, bearer: Bearer) -> str:
        """Return an event's text; "" for a case that this moderator may not see."""
        return sse("case", place, case_records.new(event.case)) if may_see(event.case.queue, bearer.operator) else ""

    def guarded(
        self, scope: Scope, handler: Handler, *, of_a_case: bool
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Wrap a handler: check the token and its scope, and turn refusals and faults into JSON."""

        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                bearer = await self._tokens.find(_secret(request))
                if bearer is None:
                    return unknown()
                if not _granted(bearer, scope):
                    return refusal(403, "scope", needs=scope.value)
                if of_a_case and not may_see(await self._desk.queue_of(request.match_info["case"]), bearer.operator):
                    return refusal(404, "missing")
                return await handler(request, bearer)
            except Refused as why:
                return refused(why)
            except (StoreAway, ObjectsAway):
                return refusal(503, "away", headers={"Retry-After": "5"})
            except Busy:
                return refusal(503, "busy", headers={"Retry-After": "5"})

        return answered

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Answer every other path below: a program gets no page."""
        try:
            return unknown() if await self._tokens.find(_secret(request)) is None else refusal(404, "missing")
        except StoreAway:
            return refusal(503, "away", headers={"Retry-After": "5"})


def _secret(request: web.Request) -> str:
    """Return the bearer token of a request, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _granted(bearer: Bearer, scope: Scope) -> bool:
    return scope in bearer.token.scopes and bearer.operator.may(Action.WORK)


async def decision(request: web.Request) -> Decision:
    """Read a decision from a request's JSON body. Raises BadBody with the name of the wrong field."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body: Any = orjson.loads(await request.read())
    except (orjson.JSONDecodeError, TimeoutError, web.HTTPRequestEntityTooLarge):
        raise BadBody from None
    if not isinstance(body, dict):
        raise BadBody
    for name, value in body.items():
        if name not in FIELDS or (type(value) is not FIELDS[name] and not (name == "seconds" and value is None)):
            raise BadBody(name)
    if "measure" not in body:
        raise BadBody("measure")
    return Decision(body["measure"], body.get("rule", ""), body.get("seconds"), body.get("words", ""))


def refused(why: Refused) -> web.Response:
    """Return a refusal of the work on cases: its code is the last part of the sentence's key."""
    code = why.key.removeprefix("refused.")
    if isinstance(why, Missing):
        return refusal(404, "missing")
    if isinstance(why, Taken):
        return refusal(409, "taken", str(why))
    if isinstance(why, Beyond):
        return refusal(403, "beyond", str(why), needs=NEEDS[why.grade])
    return refusal(409 if why.key in CONFLICTS else 422, code, str(why))


def refusal(
    status: int, error: str, message: str = "", headers: dict[str, str] | None = None, **more: str | int
) -> web.Response:
    """Return an error. `error`: its code; `message`: a sentence, in English."""
    body = {"error": error, **({"message": message} if message else {}), **more}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)


def unknown() -> web.Response:
    """Return the answer to a request without a valid token."""
    return refusal(401, "token", headers={"WWW-Authenticate": 'Bearer realm="moderation"'})


def answer(body: dict[str, Any]) -> web.Response:
    """Return JSON."""
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def sse(event: str, place: str, data: dict[str, Any]) -> str:
    """Return the text of a server-sent event."""
    return f"id: {place}\nevent: {event}\ndata: {orjson.dumps(data).decode()}\n\n"


def add_moderation_api(app: web.Application, tokens: ApiTokens, desk: CaseBatches, feed: CaseFeed) -> None:
    """Add the routes, before the gate closes, and end the streams when the application stops."""
    api = ModerationApi(tokens, desk, feed)
    routes: tuple[tuple[str, str, Scope, Handler], ...] = (
        ("GET", f"{PREFIX}/cases", Scope.READ, api.cases),
        ("GET", f"{PREFIX}/events", Scope.STREAM, api.events),
        ("GET", CASE, Scope.READ, api.show),
        ("POST", f"{CASE}/claim", Scope.ACT, api.claim),
        ("POST", f"{CASE}/release", Scope.ACT, api.release),
        ("POST", f"{CASE}/decide", Scope.ACT, api.decide),
        ("POST", f"{CASE}/undo", Scope.ACT, api.undo),
    )
    for method, path, scope, handler in routes:
        app.router.add_route(method, path, api.guarded(scope, handler, of_a_case=path.startswith(CASE)))
    app.router.add_route("*", f"{PREFIX}{{path:(/.*)?}}", api.nothing)

    async def stop(_: web.Application) -> None:
        feed.close()

    app.on_shutdown.append(stop)
