"""Simulate a captcha company on loopback: its siteverify API and its script. Invariant: it answers as the real ones do.

An answer that begins with `good` is right once; requests are recorded. Its script shows a button made from markup text, which the page's
own policy would forbid.
"""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.stub import Answering, Stub

SECRET = "sesame"
ORIGIN = "https://challenge.example"  # the origin of its script
SCRIPT = """
(() => {
  const next = () => `good-${Math.random().toString(36).slice(2)}`;
  const { searchParams, origin: base } = new URL(document.currentScript.src);
  window.%s = {
    render(box, { sitekey, action, callback }) {
      box.innerHTML = `<button style="color: #123">I am a person</button><img alt="" src="${base}/pixel.gif">`;
      box.firstChild.onclick = async () => callback(await (await fetch(`${base}/answer?${sitekey}&${action}`)).text());
    },
    execute: async () => next(),
  };
  setTimeout(() => window[searchParams.get("onload")]());
})();
"""
OURS = {"Access-Control-Allow-Origin": "*", "Location": "/elsewhere"}
NAMES = {"turnstile": "turnstile", "hcaptcha": "hcaptcha", "recaptcha": "grecaptcha"}


class Siteverify(Stub):
    """The simulated company.

    `also`: fields beside `success`; `answer`: the value that its button gives; `wrong`: a status and a body in place of each verdict.
    """

    def __init__(self, kind: str = "turnstile", **also: Any) -> None:
        self.kind = kind
        self.also = also
        self.answer = "good"
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self.fetched: list[str] = []
        self.came = threading.Condition()
        self.most = self._now = 0  # concurrent requests
        self._used: set[str] = set()
        super().__init__(_handler(self))

    @property
    def settings(self) -> dict[str, str]:
        """Return a server's settings of the section `challenge`."""
        return {
            "provider": self.kind, "site_key": "a-site-key", "secret": SECRET, "verify_url": f"{self.url}/siteverify",
            "script_url": f"{self.url}/api.js?render=explicit", "origin": ORIGIN,
        }  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """Return the same as environment variables."""
        return {f"SERENDIP_CHALLENGE__{name.upper()}": value for name, value in self.settings.items()}

    def verdict(self, asked: dict[str, str]) -> dict[str, Any]:
        """Return its verdict on an answer."""
        response = asked.get("response", "")
        if asked.get("secret") != SECRET:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        if not response.startswith("good"):
            return {"success": False, "error-codes": ["invalid-input-response"]}
        if response in self._used:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        self._used.add(response)
        action = {"action": "find"} if self.kind == "turnstile" else {}
        said: dict[str, Any] = {
            "success": True,
            "challenge_ts": stamp(),
            "hostname": "127.0.0.1",
            **action,
            **self.also,
        }
        return {name: value for name, value in said.items() if value is not None}

    def wait(self, count: int, seconds: float = 20) -> None:
        """Wait for so many requests; fails if they do not arrive."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, seconds), self.asked


def stamp(ago: float = 0.0) -> str:
    """Return the time so many seconds ago in the company's format."""
    return datetime.fromtimestamp(time.time() - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _handler(server: Siteverify) -> type[Answering]:
    """Return the request handler."""

    class Handler(Answering):
        def do_GET(self) -> None:
            with server.came:
                server.fetched.append(self.path)
            path = urlsplit(self.path).path
            if path == "/api.js":
                self.give(200, (SCRIPT % NAMES[server.kind]).encode(), "text/javascript", **OURS)
            elif path == "/answer":
                self.give(200, f"{server.answer}-{time.monotonic_ns()}".encode(), "text/plain", **OURS)
            elif path == "/recaptcha/api/challenge":  # reCAPTCHA's first version, for old programs
                self.give(200, b"var RecaptchaState = {challenge: 'of-the-first-version'};", "text/javascript", **OURS)
            else:
                self.give(204, b"", "image/gif", **OURS)

        def do_POST(self) -> None:
            body = self.body().decode()
            with server.came:
                server.asked.append(dict(parse_qsl(body)))
                server.heads.append(dict(self.headers.items()))
                server._now += 1
                server.most = max(server.most, server._now)
                server.came.notify_all()
                asked = server.asked[-1]
            server.open.wait(60)
            with server.came:
                server._now -= 1
                status, said = server.wrong or (200, json.dumps(server.verdict(asked)).encode())
            self.give(status, said, "application/json", **OURS)

    return Handler
