"""Serve `/.well-known/security.txt` (RFC 9116) and `/.well-known/gpc.json` (W3C, Global Privacy Control, "GPC Support Resource")."""

from __future__ import annotations

import datetime
from typing import Final

from aiohttp import web

from server.http.request.site_services import SERVICES
from server.ops.security import allowed_hosts

SECURITY: Final = "/.well-known/security.txt"
GPC: Final = "/.well-known/gpc.json"
GPC_SINCE: Final = "2026-11-30"  # the day from which the statement declares it
GOOD_DAYS: Final = 90  # RFC 9116, 2.5.5 recommends less than a year; the file is rendered for each request
_HEADERS: Final = {"Cache-Control": "max-age=86400"}


def security_text(contact: str, policy: str, origin: str, today: datetime.date) -> str:
    """Return the file's text. `contact`, `policy`: URIs, `policy` may be empty; `origin`: this service's, "" if it has several."""
    lines = [f"Contact: {contact}", f"Expires: {today + datetime.timedelta(days=GOOD_DAYS)}T00:00:00Z"]
    if policy:
        lines.append(f"Policy: {policy}")
    if origin:
        lines.append(f"Canonical: {origin}{SECURITY}")
    return "\n".join(lines) + "\n"


async def security(request: web.Request) -> web.Response:
    """Handle `GET /.well-known/security.txt`; 404 while `operator.security_contact` is not set."""
    settings = request.app[SERVICES].settings
    if not settings.operator.security_contact:
        raise web.HTTPNotFound
    text = security_text(
        settings.operator.security_contact, settings.operator.security_policy, allowed_hosts.origin(settings.server.hosts),
        datetime.datetime.now(datetime.UTC).date(),
    )  # fmt: skip
    return web.Response(text=text, headers=_HEADERS)


async def gpc(_request: web.Request) -> web.Response:
    """Handle `GET /.well-known/gpc.json`: the signal is honoured."""
    return web.json_response({"gpc": True, "lastUpdate": GPC_SINCE}, headers=_HEADERS)


def add_well_known(app: web.Application) -> None:
    """Add both routes to the application."""
    app.router.add_get(SECURITY, security)
    app.router.add_get(GPC, gpc)
