"""`GET /challenge`: the document in which a company's script runs, as a frame in the page. Rule: while a company is chosen, and nothing else in it.

The page's own policy stays as strict as it is, for such scripts break under it (they write addresses and markup as plain text). The page puts
the frame up after a press, and takes it away when the answer is there: then nothing of the company's runs any more.
"""

from typing import Final

from aiohttp import web

from server.captcha.siteverify import ACTION
from server.config.challenge import Company
from server.http.services import SERVICES
from server.pages import NO_CACHE, PAGES

POLICY: Final = (
    "default-src 'none'; script-src 'self' {hosts}; font-src 'self'; frame-src {hosts}; connect-src {hosts}; img-src data: {hosts}; "
    "style-src 'self' 'unsafe-inline' {hosts}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def headers(company: Company) -> dict[str, str]:
    """What the document may do. The company sees which site it is on, and not which page."""
    return {
        "Content-Security-Policy": POLICY.format(hosts=" ".join(company.hosts)),
        "Referrer-Policy": "strict-origin",
        "X-Frame-Options": "SAMEORIGIN",
        **NO_CACHE,
    }


def add_challenge(app: web.Application) -> None:
    """One part of the application; where this server makes all challenges there is none of it."""
    chosen = app[SERVICES].settings.challenge
    company = chosen.company
    if company is None:
        return
    pages, sent = app[PAGES], headers(company)

    async def document(request: web.Request) -> web.Response:
        answer = pages.answer(
            "challenge.html", key=chosen.site_key, script=company.script_url, action=ACTION, invisible=chosen.invisible,
            **pages.reader(request),
        )  # fmt: skip
        answer.headers.update(sent)
        return answer

    app.router.add_get("/challenge", document)
