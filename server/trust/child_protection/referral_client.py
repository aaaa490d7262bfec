"""Submit a referral (a report of child abuse material) to NCMEC's reporting API or a compatible server.

**Invariant:** a referral is sent only by a person's command, and is either finished or retracted.
"""

from __future__ import annotations

import base64
import contextlib
import re
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from server.http.request.http_client import read_bounded
from server.trust.child_protection.referral_package import Package

PATIENCE: Final = 60.0  # seconds for one request: a picture has 48 KiB at most
ANSWER_MAX: Final = 64 * 1024  # bytes
XML: Final = {"Content-Type": "text/xml; charset=utf-8"}
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class NotSent(RuntimeError):
    """The report was not accepted. The message is for a moderator, and quotes nothing of the package."""


async def send(package: Package, endpoint: str, user: str, password: str) -> str:
    """Send a report. Return its number. Raises NotSent: then the receiver has nothing, or an unfinished part.

    submit (report.xml) ─▷ for each file: upload ─▷ fileinfo ─▷ finish          a failure in between is followed by retract
    """
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise NotSent("safety.child_endpoint is not https")
    proof = base64.b64encode(f"{user}:{password}".encode()).decode()
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(headers={"Authorization": f"Basic {proof}"}, timeout=timeout) as web:
        told = _Told(web, endpoint.rstrip("/"))
        number = await told.ask("submit", "reportId", data=package.report, headers=XML)
        try:
            for one in package.files:
                form = aiohttp.FormData({"id": number})
                form.add_field("file", one.body, filename=one.name, content_type="application/octet-stream")
                file = await told.ask("upload", "fileId", data=form)
                await told.ask("fileinfo", "", data=one.numbered(number, file), headers=XML)
            await told.ask("finish", "", data=aiohttp.FormData({"id": number}))
        except NotSent:
            with contextlib.suppress(NotSent):
                await told.ask("retract", "", data=aiohttp.FormData({"id": number}))
            raise
    return number


class _Told:
    """Connection to the receiver for one report."""

    def __init__(self, web: aiohttp.ClientSession, endpoint: str) -> None:
        self._web = web
        self._endpoint = endpoint

    async def ask(
        self, what: str, wanted: str, *, data: bytes | aiohttp.FormData, headers: dict[str, str] | None = None
    ) -> str:
        """Do one step. Return the value of the element `wanted` of the answer. Raises NotSent."""
        try:
            async with self._web.post(
                f"{self._endpoint}/{what}", data=data, headers=headers, allow_redirects=False
            ) as answer:
                body = await read_bounded(answer, ANSWER_MAX) or b""
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(f"{what}: no answer ({type(error).__name__})") from None
        code = _value(body, "responseCode", r"\d{1,9}")
        if status != 200 or code != "0":
            raise NotSent(f"{what}: refused, status {status}, code {code or 'none'}")
        found = _value(body, wanted, r"[A-Za-z0-9_-]{1,100}") if wanted else ""
        if wanted and not found:
            raise NotSent(f"{what}: answered without {wanted}")
        return found


def _value(body: bytes, name: str, form: str) -> str:
    """Return the text of an element of an answer, or "" unless it has this form. Nothing else of the answer is parsed."""
    found = re.search(rf"<{name}>\s*({form})\s*</{name}>", body.decode("utf-8", "replace"))
    return found[1] if found else ""
