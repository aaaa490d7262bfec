"""Serve `POST /api/translate`, which translates one chat line. **Invariant:** only users with a session may call it, at a limited rate.

{"token", "text", "to", "from"}   200 {"text", "from"}
errors: {"error": code, "wait": seconds if known}

`token` is the one of the `hello` frame; `to` and `from` are language codes, and `from` is optional.
"""

import time
from collections import Counter
from typing import Any, Final

import orjson
from aiohttp import web

from engine.wire.protocol import TEXT_MAX
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, body
from server.http.request.origins import from_known_page
from server.http.request.site_services import SERVICES, Services
from server.ops.security.resume_tokens import Tokens
from server.ops.security.token_buckets import Buckets, network
from server.site.translation.libretranslate import AUTO, NotTranslated, TranslationClient, is_language

BODY_MAX: Final = 32 * 1024  # bytes: a text of TEXT_MAX code points, all of them escaped, and the rest
TOKEN_LIFE: Final = 86_400  # seconds since its `hello`: longer than a chat
AT_ONCE: Final = 2  # lines of a user in progress: a user reads one at a time
NETWORK: Final = 10  # times as much for a network as for a user
STATUS: Final = {
    "bad_request": 400,
    "origin": 403,
    "no_session": 403,
    "language": 422,
    "wait": 429,
    "busy": 503,
    "away": 503,
}
NO_STORE: Final = {"Cache-Control": "no-store"}


class Refused(Exception):
    """The request is refused; `wait`: seconds."""

    def __init__(self, code: str, wait: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.wait = wait


class Translations:
    """The handler over one LibreTranslate server."""

    def __init__(self, services: Services, tokens: Tokens) -> None:
        chosen = services.settings.translation
        self._limits = services.settings.limits.enabled
        self._tokens = tokens
        self._identities = services.identities
        self._persons = services.spent.add("translations", Buckets(chosen.burst, chosen.rate))
        self._networks = services.spent.add(
            "translations.network", Buckets(chosen.burst * NETWORK, chosen.rate * NETWORK)
        )
        self._under_way: Counter[str] = Counter()  # by users and networks; those without any are removed
        self.libre = TranslationClient(chosen)

    async def answer(self, request: web.Request) -> web.Response:
        """Handle `POST /api/translate`."""
        try:
            if not from_known_page(request):
                raise Refused("origin")
            asked = _read(await body(request, BODY_MAX))
            person = self._person(request, asked)
            return await self._translated(person, network(request.app[CLIENT_INFO].address(request)), asked)
        except Refused as refused:
            return _told(refused)
        except BadForm as bad:
            response = web.json_response({"error": "bad_request"}, status=bad.status, headers=NO_STORE)
            response.force_close()
            return response

    async def _translated(self, person: str, around: str, asked: dict[str, str]) -> web.Response:
        if self._limits:
            self._spend(person, around)
        mine = (person, around)
        self._under_way.update(mine)
        try:
            found = await self.libre.translate(asked["text"], asked.get("from", AUTO), asked["to"])
        except NotTranslated as error:
            raise Refused(error.code) from None
        finally:
            self._under_way.subtract(mine)
            for name in mine:
                if not self._under_way[name]:
                    del self._under_way[name]
        return web.json_response({"text": found.text, "from": found.source}, headers=NO_STORE)

    def _spend(self, person: str, around: str) -> None:
        """Take a line from the limits of user and network. Raises Refused."""
        now = time.monotonic()
        wait = max(self._persons.wait(person, now), self._networks.wait(around, now))
        if self._under_way[person] >= AT_ONCE or self._under_way[around] >= AT_ONCE * NETWORK:
            wait = max(wait, 1.0)
        if wait:
            self.libre.tally["limited"] += 1
            raise Refused("wait", wait)
        self._persons.take(person, now)
        self._networks.take(around, now)

    def _person(self, request: web.Request, asked: dict[str, str]) -> str:
        """Return the user of the request: the browser, or the session if it keeps no cookie. Raises Refused."""
        identity = self._identities.of(request.app[CLIENT_INFO].cookie(request))
        content = self._tokens.read(asked["token"], identity)
        if content is None or time.time() - content.issued > TOKEN_LIFE:
            raise Refused("no_session")
        return f"{content.identity or content.session_key:x}"


def _read(sent: bytes) -> dict[str, str]:
    """Parse and check the request. Raises Refused."""
    try:
        asked: Any = orjson.loads(sent or b"{}")
    except orjson.JSONDecodeError:
        raise Refused("bad_request") from None
    fields = ("token", "text", "to", "from")
    if not isinstance(asked, dict) or not all(isinstance(asked.get(name, ""), str) for name in fields):
        raise Refused("bad_request")
    text = asked.get("text", "")
    if not text.strip() or len(text) > TEXT_MAX or not is_language(asked.get("to")):
        raise Refused("bad_request")
    if not is_language(asked.get("from", "en")):
        raise Refused("bad_request")
    return {name: asked[name] for name in fields if name in asked} | {"token": asked.get("token", "")}


def _told(refused: Refused) -> web.Response:
    found: dict[str, Any] = {"error": refused.code}
    headers = dict(NO_STORE)
    if refused.wait:
        found["wait"] = round(refused.wait, 1)
        headers["Retry-After"] = str(int(refused.wait) + 1)
    return web.json_response(found, status=STATUS[refused.code], headers=headers)


def add_translation(app: web.Application) -> None:
    """Add the route to the application, if a LibreTranslate server is configured."""
    services = app[SERVICES]
    if not services.settings.translation.url or services.tokens is None:
        return
    services.offers["translation"] = True
    translations = Translations(services, services.tokens)
    services.sources.append(translations.libre.reading)
    app.router.add_post("/api/translate", translations.answer)

    async def end(_app: web.Application) -> None:
        await translations.libre.stop()

    app.on_cleanup.append(end)
