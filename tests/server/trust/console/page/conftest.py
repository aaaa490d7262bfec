"""The console in Chromium, on a real server, with an authenticator that Chromium plays (CDP `WebAuthn`).

Rule: as in tests/server/site/web: a violation of the policy, an error of a script or a request to another host fails the test.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.server.site.web.conftest import Watch, browser, watch, window
from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START
from tests.support.services import free_port

__all__ = ["browser", "watch", "window"]

INTERNAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Operated:
    """A server with a console, and the command line beside it. `origin`: the console's."""

    def __init__(self, data: Path, port: int, **more: str) -> None:
        self.data = data
        self.port = port
        self.origin = f"http://localhost:{port}"
        settings = {"SERENDIP_CONSOLE__ENABLED": "true", "SERENDIP_CONSOLE__PORT": str(port)}
        self.server = Server(data, **(settings | more))

    def run(self, *words: str) -> str:
        """Run a command of `serendip console`. Return its output."""
        command = [sys.executable, "-c", START, "console", *words, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def forget_passkeys(self) -> None:
        """Set the time of every verified passkey an hour back."""
        with closing(sqlite3.connect(self.data / "serendip.db", timeout=10)) as database, database:
            database.execute("UPDATE console_session SET proved = proved - 3600")

    def invite(self, name: str, *roles: str) -> str:
        """Return the link of an invitation, on the port of this server."""
        words = [word for role in roles for word in ("--role", role)]
        return self.origin + "/" + self.run("invite", name, *words).split("/", 3)[3]


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """One server for all tests of a module."""
    made = Operated(tmp_path_factory.mktemp("operated"), free_port())
    yield made
    assert made.server.stop() == 0
    assert made.server.strange == []


@pytest.fixture
def quiet(watch: Watch) -> Watch:
    """Refusals are asked for here, and Chromium writes each to its console."""
    watch.quiet = ("the server responded with a status of",)
    return watch


def authenticator(page: Page, **options: Any) -> tuple[Any, str]:
    """Give a window a device that makes passkeys. Return (the protocol's session, its id)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": {**INTERNAL, **options}})
    return session, made["authenticatorId"]
