"""Simulate NCMEC's reporting API on loopback. Invariant: it keeps what it receives, byte for byte."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.message import Message
from typing import Any

from tests.support.stub import Answering, Stub

USER, PASSWORD = "an-operator", "sesame"
REPORT = "4711"


class Cybertip(Stub):
    """The simulated API. `fails`: the step that it refuses; `answer`: its answer then, with a status."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.report = b""
        self.files: dict[str, bytes] = {}  # by their file names
        self.details: list[bytes] = []
        self.finished = self.retracted = False
        self.fails = ""
        self.answer: tuple[int, bytes] = (200, b"<reportResponse><responseCode>4100</responseCode></reportResponse>")
        super().__init__(_handler(self))
        self.url += "/ispws"

    @property
    def settings(self) -> dict[str, str]:
        """Return a server's environment."""
        return {
            "SERENDIP_SAFETY__CHILD_ENDPOINT": self.url,
            "SERENDIP_SAFETY__CHILD_USER": USER,
            "SERENDIP_SAFETY__CHILD_PASSWORD": PASSWORD,
        }

    def take(self, step: str, kind: str, body: bytes) -> tuple[int, bytes]:
        """Handle one request; return status and answer."""
        self.steps.append(step)
        if step == self.fails:
            return self.answer
        if step == "submit":
            self.report = body
            return 200, _said(f"<reportId>{REPORT}</reportId>")
        if step == "fileinfo":
            self.details.append(body)
            return 200, _said(f"<reportId>{REPORT}</reportId>")
        form = _form(kind, body)
        assert form["id"][1] == REPORT.encode()
        if step == "upload":
            name, content = form["file"]
            self.files[name] = content
            return 200, _said(f"<reportId>{REPORT}</reportId><fileId>f{len(self.files)}</fileId>")
        self.finished |= step == "finish"
        self.retracted |= step == "retract"
        return 200, _said("")


def _said(more: str) -> bytes:
    return f"<reportResponse><responseCode>0</responseCode>{more}</reportResponse>".encode()


def _form(kind: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Return the fields of a form, by name: (file name, content)."""
    if not kind.startswith("multipart/"):
        name, _, value = body.partition(b"=")
        return {name.decode(): ("", value)}
    whole: Message[str, str] = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    found: dict[str, tuple[str, bytes]] = {}
    for part in whole.walk():
        field: Any = part.get_param("name", header="content-disposition")
        content: Any = part.get_payload(decode=True)
        if field and content is not None:
            found[str(field)] = part.get_filename() or "", bytes(content)
    return found


def _handler(stub: Cybertip) -> type[Answering]:
    expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(Answering):
        def do_POST(self) -> None:
            body = self.body() if "Content-Length" in self.headers else self._chunks()
            if self.headers.get("Authorization") != expected:
                status, answer = 401, b""
            else:
                status, answer = stub.take(self.path.removeprefix("/ispws/"), self.headers["Content-Type"], body)
            self.give(status, answer, "text/xml")

        def _chunks(self) -> bytes:
            found = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

    return Handler
