"""Receive Alertmanager's heartbeat on another machine, and notify the contacts when it stops (a dead man's switch).

It runs apart from all that it watches. **Invariant:** the contacts are notified once when the heartbeat stops, once an hour while it is away,
and once when it is back; a contact that cannot be reached keeps no other from being notified.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from server.ops.config.alert_settings import Contact
from server.ops.config.settings import Mail
from server.ops.process import mail_relay

AGAIN_S: Final = 3600.0  # between two notices of one outage
BODY_MAX: Final = 256 * 1024  # bytes of a request, which is not read
PATIENCE_S: Final = 15.0  # for a webhook

Notify = Callable[[str, str], Awaitable[None]]  # subject and text to the operators


class HeartbeatWatch:
    """The time of the last heartbeat, and whether the operators know that it stopped. `heartbeat`: address that Alertmanager calls, whose path and
    query work as a key; `within`: seconds that it may take.
    """

    def __init__(
        self, heartbeat: str, within: float, notify: Notify, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = str(URL(heartbeat).relative()) or "/"
        self._within = within
        self._notify = notify
        self._clock = clock
        self._last = clock()  # silence from the start on is an outage too
        self._told: float | None = None
        self._beat = asyncio.Event()

    def app(self) -> web.Application:
        """Return the HTTP application: a POST to the secret path, with its query, is a heartbeat."""
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_post("/{path:.*}", self._heard)
        return app

    async def _heard(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(str(URL(request.raw_path)), self._key):
            raise web.HTTPNotFound
        self._last = self._clock()
        self._beat.set()
        return web.Response(text="ok\n")

    async def run(self) -> None:
        """Watch without end."""
        while True:
            self._beat.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.wait()):
                    await self._beat.wait()
            await self.look()

    def wait(self) -> float:
        """Return the seconds until something is to be said, if no heartbeat comes."""
        due = self._last + self._within if self._told is None else self._told + AGAIN_S
        return max(0.0, due - self._clock())

    async def look(self) -> None:
        """Notify if the heartbeat has stopped, or is back."""
        now = self._clock()
        silent = now - self._last
        if silent < self._within:
            if self._told is not None:
                self._told = None
                await self._notify("[over] the alerts work again", "Alertmanager's heartbeat is back.\n")
        elif self._told is None or now - self._told >= AGAIN_S:
            self._told = now
            await self._notify(
                "[PAGE] the alerts are dead",
                f"No heartbeat of Alertmanager for {silent:.0f} s. Prometheus, Alertmanager, their machine or the network is down:"
                " until it is back nothing else can wake you.\nWhat to do: serendip help SerendipHeartbeat\n",
            )


class Notifier:
    """The contacts, by mail and webhook. `failed`: called with the kind of a contact that could not be reached."""

    def __init__(self, contacts: Sequence[Contact], relay: Mail, failed: Callable[[str], None]) -> None:
        self._contacts = contacts
        self._relay = relay
        self._failed = failed

    async def __call__(self, subject: str, text: str) -> None:
        """Notify all of them, each in one try."""
        await asyncio.gather(*(self._one(contact, subject, text) for contact in self._contacts))

    async def _one(self, contact: Contact, subject: str, text: str) -> None:
        try:
            if contact.kind == "mail":
                await self._mail(contact.address, subject, text)
            else:
                await self._hook(contact.address, subject, text)
        except (mail_relay.RelayAway, mail_relay.MailRefused, aiohttp.ClientError, TimeoutError):
            self._failed(contact.kind)

    async def _mail(self, address: str, subject: str, text: str) -> None:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._relay.sender, address, subject
        letter.set_content(text)
        await mail_relay.send(letter, self._relay)

    async def _hook(self, url: str, subject: str, text: str) -> None:
        """Post in the form of Alertmanager's webhooks."""
        over = subject.startswith("[over]")
        labels = {"alertname": "SerendipHeartbeat", "severity": "page"}
        alert = {
            "status": "resolved" if over else "firing",
            "labels": labels,
            "annotations": {"summary": f"{subject.partition('] ')[2]}. {text}"},
        }
        body = {"version": "4", "status": alert["status"], "commonLabels": labels, "alerts": [alert]}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as http,
            http.post(url, json=body) as answer,
        ):
            answer.raise_for_status()
