"""A server that speaks LibreTranslate's HTTP API, on loopback. Rule: it knows the sentences that it is given, and answers as that does.

It translates a sentence of its table, and reverses any other; what it was asked is kept, so that a test can see it. `hold` keeps answers back.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "nb", "pt", "ru")
DETECTED = {"Wie geht es dir?": "de", "مرحبا! كيف حالك؟": "ar", "How are you?": "en"}
TABLE = {
    ("Wie geht es dir?", "en"): "How are you?",
    ("Wie geht es dir?", "ar"): "كيف حالك؟",
    ("مرحبا! كيف حالك؟", "en"): "Hello! How are you?",
    ("How are you?", "ar"): "كيف حالك؟",
    ("How are you?", "de"): "Wie geht es dir?",
}


class LibreTranslate:
    """One of them, in a thread of its own. `key`: the only API key that it takes, where there is one; `wrong`: a status, and a body, in place
    of each answer."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.open = threading.Event()  # cleared: no answer goes out
        self.open.set()
        self.came = threading.Condition()
        server = self
        self.most = self._now = 0  # requests at once

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                listed = [{"code": code, "name": code, "targets": list(LANGUAGES)} for code in LANGUAGES]
                self.answer(*((200, json.dumps(listed).encode()) if server.wrong is None else server.wrong))

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.came:
                    server.asked.append(asked)
                    server.heads.append(dict(self.headers.items()))
                    server._now += 1
                    server.most = max(server.most, server._now)
                    server.came.notify_all()
                server.open.wait(60)
                with server.came:
                    server._now -= 1
                self.answer(*(server.wrong or server.said(self.path, asked)))

            def answer(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked waits no more

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def said(self, path: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body for what was asked."""
        text, source, target = asked.get("q"), asked.get("source"), asked.get("target")
        if path != "/translate":
            return 404, b"<!DOCTYPE html>"
        if self.key and asked.get("api_key") != self.key:
            return 403, _error("Invalid API key")
        if not isinstance(text, str) or not source or not target:
            return 400, _error("Invalid request: missing parameter")
        for language in (source, target):
            if language not in (*LANGUAGES, "auto"):
                return 400, _error(f"{language} is not supported")
        found: dict[str, Any] = {"translatedText": TABLE.get((text, target), text[::-1])}
        if source == "auto":
            found["detectedLanguage"] = {"confidence": 90.0, "language": DETECTED.get(text, "en")}
        return 200, json.dumps(found).encode()

    def wait(self, count: int, seconds: float = 20) -> None:
        """Until so many lines were asked for; fails where they do not come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, seconds), self.asked

    def stop(self) -> None:
        """It is gone."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


def _error(said: str) -> bytes:
    return json.dumps({"error": said}).encode()
