"""Simulate LibreTranslate's HTTP API on loopback. Invariant: it answers as the real server does.

It translates the sentences of its table and reverses all others; requests are recorded. `hold` delays answers.
"""

import json
import threading
from typing import Any

from tests.support.stub import Answering, Stub

LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "nb", "pt", "ru")
DETECTED = {"Wie geht es dir?": "de", "مرحبا! كيف حالك؟": "ar", "How are you?": "en"}
TABLE = {
    ("Wie geht es dir?", "en"): "How are you?",
    ("Wie geht es dir?", "ar"): "كيف حالك؟",
    ("مرحبا! كيف حالك؟", "en"): "Hello! How are you?",
    ("How are you?", "ar"): "كيف حالك؟",
    ("How are you?", "de"): "Wie geht es dir?",
}


class LibreTranslate(Stub):
    """The simulated server. `key`: the only API key that it accepts, if any; `wrong`: a status and a body in place of each answer."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.came = threading.Condition()
        server = self
        self.most = self._now = 0  # concurrent requests

        class Handler(Answering):
            def do_GET(self) -> None:
                listed = [{"code": code, "name": code, "targets": list(LANGUAGES)} for code in LANGUAGES]
                self.give(*((200, json.dumps(listed).encode()) if server.wrong is None else server.wrong))

            def do_POST(self) -> None:
                asked = json.loads(self.body())
                with server.came:
                    server.asked.append(asked)
                    server.heads.append(dict(self.headers.items()))
                    server._now += 1
                    server.most = max(server.most, server._now)
                    server.came.notify_all()
                server.open.wait(60)
                with server.came:
                    server._now -= 1
                self.give(*(server.wrong or server.said(self.path, asked)))

        super().__init__(Handler)

    def said(self, path: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        """Return status and body for a request."""
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
        """Wait for so many lines; fails if they do not arrive."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, seconds), self.asked


def _error(said: str) -> bytes:
    return json.dumps({"error": said}).encode()
