"""A real Alertmanager, a Prometheus with our rules at short intervals, and the mail server that gets what they have to say."""

import asyncio
import email
import email.policy
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

from tests.grafana.boards import FOLDER
from tests.grafana.service import await_port, await_ready, running
from tests.support.forkserver import START
from tests.support.services import free_port

MANAGER = "prometheus-alertmanager"  # Debian's name of the program
LONG = 120.0  # seconds for a mail, on a machine that does other things too


class Mail(NamedTuple):
    """A mail that arrived."""

    to: str
    subject: str
    text: str


class Letterbox:
    """Mails, as the mail server took them."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self._came = threading.Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a mail."""
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = letter.get_body(("plain",))
        assert body is not None
        with self._came:
            self.mails.append(Mail(envelope.rcpt_tos[0], str(letter["Subject"]), body.get_content()))
            self._came.notify_all()
        return "250 OK"

    def _found(self, subject: str, line: str) -> Mail | None:
        return next((one for one in self.mails if one.subject.startswith(subject) and re.search(line, one.text)), None)

    def await_mail(self, subject: str, line: str) -> Mail:
        """Wait for a mail whose subject begins so, and whose text has such a line. Raises AssertionError."""
        with self._came:
            assert self._came.wait_for(lambda: self._found(subject, line), LONG), (
                f"no {subject} {line}, but {self.mails}"
            )
            found = self._found(subject, line)
            assert found is not None
            return found


@contextmanager
def mail_server() -> Iterator[tuple[Letterbox, int]]:
    """A mail server; its mails and its port."""
    box, port = Letterbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def shortened(document: dict[str, Any]) -> dict[str, Any]:
    """The configuration that the settings make, with a second for each of its intervals but that of repetition."""
    route = document["route"]
    for one in (route, *route["routes"]):
        one |= {name: "1s" for name in ("group_wait", "group_interval") if name in one}
        if one["receiver"] == "heartbeat":
            one["repeat_interval"] = "1s"
    return document


@contextmanager
def alertmanager(folder: Path, port: int, **settings: str) -> Iterator[str]:
    """Debian's Alertmanager with the configuration of these settings; its address."""
    made = folder / "made.json"
    command = [sys.executable, "-c", START, "alerts", "config", "--output", str(made)]
    with running(command, folder / "config.log", **settings) as process:
        assert process.wait(LONG) == 0, (folder / "config.log").read_text()
    (folder / "alertmanager.yml").write_text(json.dumps(shortened(json.loads(made.read_text()))))
    command = [
        MANAGER, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip
    with running(command, folder / "alertmanager.log"):
        await_port(port, folder / "alertmanager.log")
        await_ready(f"http://127.0.0.1:{port}/-/ready", folder / "alertmanager.log")
        yield f"http://127.0.0.1:{port}"


class Watching:
    """A Prometheus that reports to an Alertmanager."""

    def __init__(self, folder: Path, manager: int) -> None:
        self._config = folder / "prometheus.yml"
        self._manager = manager
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, metrics: list[int]) -> None:
        """Write its configuration: these targets, none of them answering as Alertmanager."""
        text = (FOLDER / "prometheus.yml").read_text().replace("15s", "1s")
        text = text.replace('["127.0.0.1:9464"]', json.dumps([f"127.0.0.1:{one}" for one in metrics]))
        self._config.write_text(text.replace("127.0.0.1:9093", f"127.0.0.1:{self._manager}"))

    def change(self, metrics: list[int]) -> None:
        """Let it watch these from now on."""
        assert self.process is not None
        self.write(metrics)
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def watching(folder: Path, manager: int, metrics: list[int]) -> Iterator[Watching]:
    """Debian's Prometheus with our rules: each waits for a second, and looks back for some."""
    rules = (FOLDER / "alerts.yml").read_text()
    rules = re.sub(r"for: \w+", "for: 1s", rules)
    (folder / "alerts.yml").write_text(re.sub(r"\[(10m|5m)\]", "[30s]", rules))
    watched, port = Watching(folder, manager), free_port()
    watched.write(metrics)
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s", "--log.level=warn",
    ]  # fmt: skip
    with running(command, folder / "prometheus.log") as process:
        watched.process = process
        await_port(port, folder / "prometheus.log")
        await_ready(f"http://127.0.0.1:{port}/-/ready", folder / "prometheus.log")
        yield watched


@contextmanager
def heartbeat_watch(folder: Path, port: int, within: float, **settings: str) -> Iterator[None]:
    """`serendip alerts watch`, as on another machine."""
    command = [sys.executable, "-c", START, "alerts", "watch", "--port", str(port), "--within", str(within)]
    with running(command, folder / "watch.log", **settings):
        await_port(port, folder / "watch.log")
        yield


async def in_thread(call: Any, *words: Any) -> Any:
    """The result of a call that blocks."""
    return await asyncio.to_thread(call, *words)


__all__ = ["MANAGER", "Letterbox", "alertmanager", "heartbeat_watch", "in_thread", "mail_server", "watching"]
