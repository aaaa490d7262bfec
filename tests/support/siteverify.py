"""A company that checks people, on loopback: its siteverify API, and its script. Rule: it answers as the real ones do.

An answer that begins with `good` is right once; what it was asked is kept. Its script shows one button, made of markup as a text, which the
page's own policy would not let it.
"""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET = "sesame"
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
NAMES = {"turnstile": "turnstile", "hcaptcha": "hcaptcha", "recaptcha": "grecaptcha"}


class Siteverify:
    """One of them, in a thread of its own. `also`: what it says beside `success`; `answer`: what its button gives; `wrong`: a status, and a
    body, in place of each verdict."""

    def __init__(self, kind: str = "turnstile", **also: Any) -> None:
        self.kind = kind
        self.also = also
        self.answer = "good"
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self.fetched: list[str] = []
        self.open = threading.Event()  # cleared: no verdict goes out
        self.open.set()
        self.came = threading.Condition()
        self.most = self._now = 0  # requests at once
        self._used: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """A server's, of the section `challenge`."""
        return {
            "provider": self.kind, "site_key": "a-site-key", "secret": SECRET, "verify_url": f"{self.url}/siteverify",
            "script_url": f"{self.url}/api.js?render=explicit",
        }  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The same, as variables."""
        return {f"SERENDIP_CHALLENGE__{name.upper()}": value for name, value in self.settings.items()}

    def verdict(self, asked: dict[str, str]) -> dict[str, Any]:
        """What it says of an answer."""
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
        """Until it was asked so many times; fails where that does not come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, seconds), self.asked

    def stop(self) -> None:
        """It is gone."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


def stamp(ago: float = 0.0) -> str:
    """A time so many seconds ago, as they write one."""
    return datetime.fromtimestamp(time.time() - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _handler(server: Siteverify) -> type[BaseHTTPRequestHandler]:
    """How it answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with server.came:
                server.fetched.append(self.path)
            path = urlsplit(self.path).path
            if path == "/api.js":
                self.give(200, "text/javascript", (SCRIPT % NAMES[server.kind]).encode())
            elif path == "/answer":
                self.give(200, "text/plain", f"{server.answer}-{time.monotonic_ns()}".encode())
            elif path == "/recaptcha/api/challenge":  # of reCAPTCHA's first version, which old programs know
                self.give(200, "text/javascript", b"var RecaptchaState = {challenge: 'of-the-first-version'};")
            else:
                self.give(204, "image/gif", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
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
            self.give(status, "application/json", said)

        def give(self, status: int, kind: str, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # whoever asked waits no more

        def log_message(self, *_: object) -> None:
            pass

    return Handler
