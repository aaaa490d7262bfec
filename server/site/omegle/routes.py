"""Serve the endpoints of Omegle's protocol, one function each. **Invariant:** a request that cannot be parsed costs only its own connection."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import orjson
from aiohttp import web

from engine.wire.protocol import PRIVATE, PROGRAM
from server.http.pages.error_pages import PROGRAMS
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, Form, form, read
from server.http.request.host_forwarding import ASKS, OMEGLE, RELEASE, Away, Gone, forwarded_header, is_forwarded
from server.http.request.request_migration import move_request
from server.http.request.site_services import SERVICES
from server.realtime.worker.worker_loop import Worker
from server.site.omegle import omegle_answers, omegle_event_encoding
from server.site.omegle.log_generation import LogGeneration
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.omegle_answers import FAIL, NULL, WIN
from server.site.omegle.omegle_client import ID_BEFORE
from server.site.omegle.picture_uploads import PictureUploads
from server.site.omegle.poll_transports import PollRequest, is_connected
from server.site.omegle.start_parameters import BadStart, parse_find

ADAPTER = web.AppKey("omegle", OmegleAdapter)
UPLOADS = web.AppKey("uploads", PictureUploads)
CANDIDATES_MAX = 64  # of one request
SIGNAL_MAX = 40 * 1024  # bytes of one JSON part; the engine's own bounds are narrower

Handler = Callable[[web.Request, Form, OmegleAdapter], Awaitable[web.StreamResponse]]


async def start(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/start`: return an id, with the first events if they are requested; `{}`: refused."""
    try:
        find = parse_find(asked)
    except BadStart:
        return await omegle_answers.slowly(omegle_answers.json(b"{}"))
    if request.app[SERVICES].draining:
        return omegle_answers.json(b"{}")
    way = PROGRAM | (PRIVATE if request.headers.get("Sec-GPC") == "1" else 0)
    address, port = request.app[CLIENT_INFO].address(request), request.app[CLIENT_INFO].port(request)
    client = adapter.start(find, asked.get("randid"), address, request.host, way, port)
    if client is None:
        return await omegle_answers.slowly(omegle_answers.json(b"{}"))
    if asked.flag("firstevents"):
        first = await adapter.first_events(client)
        answer = omegle_answers.json(
            b'{"clientID":"%s","events":%s}' % (client.id.encode(), omegle_event_encoding.joined(first))
        )
        await _carry(request, answer, adapter, client.id, len(first))
        return answer
    if "caps" in asked or "firstevents" in asked:
        return omegle_answers.json(b'{"clientID":"%s","events":[]}' % client.id.encode())
    return omegle_answers.json(b'"%s"' % client.id.encode())


async def poll(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/events`: return events, held until there are some; `null`: no such client (any more)."""
    client = adapter.find(asked.get("id"))
    if client is None:
        end = omegle_answers.json(NULL)
        return end if adapter.owes_end(asked.get("id")) else await omegle_answers.slowly(end)
    if forwarded_header(request, ASKS) == RELEASE:  # sent by another host, which has the connection of the held poll
        client.release(False)
        return omegle_answers.json(omegle_event_encoding.joined([]))
    found = await adapter.poll(client, PollRequest(request, client, adapter))
    if found is None:
        return omegle_answers.json(NULL)
    answer = omegle_answers.json(omegle_event_encoding.joined(found))
    if found:
        await _carry(request, answer, adapter, client.id, len(found))
    return answer


async def _carry(request: web.Request, answer: web.Response, adapter: OmegleAdapter, id: str, number: int) -> None:
    """Write a response with events, which are removed when the socket accepted it."""
    client = adapter.clients.get(id)
    written = False
    try:
        if is_connected(request):
            await answer.prepare(request)
            await answer.write_eof()
            written = True
    except ConnectionError:
        pass  # the connection was closed: the events wait for the next poll
    finally:
        if client is not None:
            if written:
                adapter.written(client, number)
            else:
                adapter.unwritten(client)


async def send(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/send`."""
    client = adapter.find(asked.get("id"))
    if client is None:
        return await omegle_answers.slowly(omegle_answers.text(FAIL))
    return omegle_answers.text(WIN if adapter.send(client, asked.get("msg")) else FAIL)


async def typing(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/typing`."""
    return await _typed(asked, adapter, True)


async def stopped(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/stoppedtyping`, in all its spellings."""
    return await _typed(asked, adapter, False)


async def _typed(asked: Form, adapter: OmegleAdapter, on: bool) -> web.StreamResponse:
    client = adapter.find(asked.get("id"))
    if client is None:
        return await omegle_answers.slowly(omegle_answers.text(FAIL))
    adapter.typing(client, on)
    return omegle_answers.text(WIN)


async def disconnect(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/disconnect`: `win` for an ended id too."""
    client = adapter.find(asked.get("id"))
    if client is not None:
        adapter.leave(client)
    return omegle_answers.text(WIN)


async def widen(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/stoplookingforcommonlikes`."""
    client = adapter.find(asked.get("id"))
    if client is None:
        return await omegle_answers.slowly(omegle_answers.text(FAIL))
    adapter.widen(client)
    return omegle_answers.text(WIN)


async def recaptcha(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/recaptcha`: fails while no challenge is open; the result arrives on `/events`."""
    client = adapter.find(asked.get("id"))
    if client is None or not adapter.solve(client, asked.get("response")):
        return await omegle_answers.slowly(omegle_answers.text(FAIL))
    return omegle_answers.text(WIN)


async def describe(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/rtcpeerdescription`."""
    client = adapter.find(asked.get("id"))
    part = _part(asked.get("desc"))
    if client is None or not isinstance(part, dict) or not adapter.signal(client, {"description": part}):
        return (
            omegle_answers.text(FAIL) if client is not None else await omegle_answers.slowly(omegle_answers.text(FAIL))
        )
    return omegle_answers.text(WIN)


async def candidates(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/icecandidate`: one event per candidate."""
    client = adapter.find(asked.get("id"))
    if client is None:
        return await omegle_answers.slowly(omegle_answers.text(FAIL))
    parts = [_part(text) for text in asked.all("candidate")]
    if not parts or len(parts) > CANDIDATES_MAX or not all(part is None or isinstance(part, dict) for part in parts):
        return omegle_answers.text(FAIL)
    taken = [adapter.signal(client, {"candidate": part}) for part in parts]
    return omegle_answers.text(WIN if all(taken) else FAIL)


def _part(text: str) -> object:
    """Parse the JSON of a signal; False if it is invalid."""
    if len(text) > SIGNAL_MAX:
        return False
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return False


async def status(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/status`."""
    return omegle_answers.json(adapter.status.body(request.host))


async def check(request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
    """Handle `/check`: return a random token, which a client may send back as `cc`."""
    return omegle_answers.text(secrets.token_hex(16).encode())


def _reading(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            asked = await form(request)
        except BadForm as bad:
            return omegle_answers.refused(bad.status)
        adapter, id = request.app[ADAPTER], asked.get("id")
        if id and not adapter.knows(id):  # it may be another host's, have migrated, or be migrating
            if (answer := await _elsewhere(request, asked, id)) is not None:
                return answer
            if await move_request(request, urlencode(asked.pairs).encode()):
                return web.Response()  # never sent
            await adapter.wanted.wait(id)
        return await handler(request, asked, adapter)

    return answer


async def _elsewhere(request: web.Request, asked: Form, id: str) -> web.Response | None:
    """Return the response of the host that has the client; None: no host has it, or that host is gone."""
    passing = request.app[SERVICES].passing
    if passing is None or is_forwarded(request) or request.path not in POSTED:
        return None
    address = await passing.of_id(id.removeprefix(ID_BEFORE))
    if address is None:
        return None
    sent = urlencode(asked.pairs[len(read(request.rel_url.raw_query_string)) :]).encode()
    try:
        return await passing.ask(request, address, OMEGLE, sent, held=request.path == "/events")
    except Gone:
        return None
    except Away:  # answer as for clients over the limits
        said_now = REFUSALS[request.path.encode()]
        return await omegle_answers.slowly(
            omegle_answers.json(said_now) if said_now == b"[]" else omegle_answers.text(said_now)
        )


POSTED: dict[str, Handler] = {
    "/events": poll,
    "/send": send,
    "/typing": typing,
    "/stoppedtyping": stopped,
    "/stopTyping": stopped,
    "/stoptyping": stopped,
    "/stoppedTyping": stopped,
    "/disconnect": disconnect,
    "/stoplookingforcommonlikes": widen,
    "/recaptcha": recaptcha,
    "/rtcpeerdescription": describe,
    "/icecandidate": candidates,
    "/check": check,
}
# Responses for clients over the connection limits: they poll or send again, and nothing ends.
REFUSALS = {path.encode(): b"fail" for path in POSTED} | {b"/events": b"[]", b"/start": b"{}"}
BOTH: dict[str, Handler] = {"/start": start, "/status": status}


WORKER = web.AppKey("worker", Worker)


async def _begin(app: web.Application) -> None:
    app[ADAPTER].start_ticking()


async def _end(app: web.Application) -> None:
    app[ADAPTER].stop()
    await app[UPLOADS].close()


def add_omegle(app: web.Application) -> None:
    """Add the adapter to the application, if the settings enable it."""
    services = app[SERVICES]
    if not services.settings.omegle.enabled:
        return
    app[ADAPTER] = adapter = OmegleAdapter(app[WORKER], services.settings, services.places, services.shared_digests)
    app[UPLOADS] = uploads = PictureUploads(adapter, services)
    services.sources += (adapter.reading, uploads.reading)
    for path, handler in (POSTED | BOTH).items():
        app.router.add_post(path, _reading(handler))
    for path, handler in BOTH.items():
        app.router.add_get(path, _reading(handler))
    app[PROGRAMS].update(POSTED | BOTH, ("/upload", "/generate"))
    app.router.add_post("/upload", uploads.answer)
    app.router.add_post("/generate", _reading(LogGeneration(services.spent).answer))
    app.on_startup.append(_begin)
    app.on_shutdown.append(_end)
