"""Save the chat log of an HTTP client (`/generate`).

**Invariant:** the server's own transcript is saved if it still exists; otherwise the text that the client sends (its account) is saved and marked as
such.
"""

import html
import time
from typing import Final
from urllib.parse import urlencode

import orjson
from aiohttp import web

from engine.wire.protocol import PAST_FOR, TEXT_MAX
from server.data.chat_logs.chat_log_rendering import one_line, shown
from server.data.chat_logs.guess_limit import GuessLimit
from server.data.errors import REFUSALS, NotSaved
from server.data.records.chat_rows import Party
from server.data.records.transcript import Line, Transcript
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import Form, read
from server.http.request.host_forwarding import ASKS, LATEST, LOG, Away, Gone, forwarded_header, is_forwarded
from server.http.request.site_services import SERVICES
from server.ops.security.token_buckets import BucketRegistry
from server.site.omegle import omegle_answers
from server.site.omegle.ended_clients import EndedChat
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.randid_lookup import find_host, others

LINES_MAX: Final = 1_000  # as many as a ring holds
SIDES: Final = {"You:": 0, "Stranger:": 1, "Stranger 1:": 0, "Stranger 2:": 1}
QUESTION: Final = "Question to discuss:"
PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Saved</title><h1>Saved</h1>"
    '<p>The log: <a href="{log}">{log}</a></p><p>Keep this one to yourself, it deletes the log: <a href="{delete}">{delete}</a></p></html>\n'
)
REFUSED: Final = "<!doctype html><html lang=en><meta charset=utf-8><title>Not saved</title><p>{why}</p></html>\n"


def account(asked: Form, now: float) -> Transcript | None:
    """Return the client's account of its chat; None if it has no line."""
    try:
        listed = orjson.loads(asked.get("log"))
        topics = orjson.loads(asked.get("topics") or "[]")
    except orjson.JSONDecodeError:
        return None
    lines: list[Line] = []
    question = ""
    for entry in listed if isinstance(listed, list) else []:
        if not (isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry)):
            continue  # a line of status: ["You have disconnected."]
        who, text = entry[0].strip(), shown(entry[1][:TEXT_MAX])
        if who == QUESTION:
            question = one_line(text)[:200]
        elif who in SIDES and len(lines) < LINES_MAX:
            lines.append(Line(SIDES[who], int(now), text))
    if not lines:
        return None
    common = tuple(one_line(str(word)[:64]) for word in topics[:32]) if isinstance(topics, list) else ()
    mode = "spy" if question else "text"
    return Transcript(mode, int(now), tuple(lines), common=common, question=question, account=True)


class LogGeneration:
    """The handler, with one limit per network.

    The transcript is found by the browser's `randid`, in the same network, for ten minutes after the chat; since a `randid` is no proof, the
    response holds the links of the saved log and nothing of its text. An account is read from the request alone: bounded, and limited per network.
    """

    def __init__(self, spent: BucketRegistry) -> None:
        self._limit = GuessLimit(burst=10.0, rate=0.02)  # ten at once, then one in 50 s: no user chats faster
        spent.add("omegle.logs", self._limit.buckets)

    async def answer(self, request: web.Request, asked: Form, adapter: OmegleAdapter) -> web.StreamResponse:
        """Return an HTML page with the links, or with the reason for the refusal."""
        services = request.app[SERVICES]
        if services.store is None:
            return _page(REFUSED.format(why="This server keeps no logs."))
        address = request.app[CLIENT_INFO].address(request)
        if asked.get("randid"):
            await adapter.remote_clients.known(adapter.digests.person(asked.get("randid")))
        now = time.monotonic()
        past = await adapter.lately(asked.get("randid"), address)
        if past is not None and past.ended + PAST_FOR < now:
            past = None
        if forwarded_header(request, ASKS) == LATEST:
            return omegle_answers.text(b"" if past is None else b"%f" % (now - past.ended))
        if services.settings.limits.enabled and not is_forwarded(request):  # the forwarding host has counted it
            if self._limit.wait(address, now):
                return await omegle_answers.slowly(
                    _page(REFUSED.format(why="Too many logs from your network. Try again later."))
                )
            self._limit.missed(address, now)
        if (answer := await self._elsewhere(request, asked, past, now)) is not None:
            return answer
        log, people = None if past is None else past.transcript(), [Party(0, 0, address)]
        if log is not None and past is not None:
            people = [Party(*person) for person in past.people]
        else:
            log = account(asked, time.time())
        if log is None:
            return _page(REFUSED.format(why="There is nothing in this log."))
        try:
            saved = await services.store.save(log, people, Party(0, 0, address))
        except NotSaved as refusal:
            return _page(REFUSED.format(why=REFUSALS[refusal.why]))
        base = request.app[CLIENT_INFO].base(request) + "/log/"
        return _page(PAGE.format(log=html.escape(base + saved.log), delete=html.escape(f"{base}delete/{saved.delete}")))

    async def _elsewhere(
        self, request: web.Request, asked: Form, past: EndedChat | None, now: float
    ) -> web.StreamResponse | None:
        """Return the response of another host if the latest chat was there; None: it was here, or nowhere. `past`: the latest one here."""
        passing = others(request)
        if passing is None or not asked.get("randid"):
            return None
        ours = float("inf") if past is None else now - past.ended
        sent = urlencode(asked.pairs[len(read(request.rel_url.raw_query_string)) :]).encode()
        host = await find_host(passing, request, LOG, urlencode({"randid": asked.get("randid")}).encode(), LATEST, ours)
        if host is None:
            return None
        try:
            return await passing.ask(request, host, LOG, sent)
        except (Gone, Away):
            return None


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=omegle_answers.HEADERS)
