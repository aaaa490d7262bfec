"""Test `make audit` with the real pip-audit and a server of advisories of this machine's."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.support.process_inspection import free_port
from tests.support.licences import of_tool, refused

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.timeout(900)  # its tools may have to be fetched


class Advisories(ThreadingHTTPServer):
    """Answers as OSV (https://google.github.io/osv.dev/post-v1-query/) and npm's registry do. `known`, `npm`: advisories by package."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.known: dict[str, dict[str, Any]] = {}
        self.npm: dict[str, list[dict[str, Any]]] = {}
        self.asked: set[tuple[str, str]] = set()


class Answer(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Advisories)
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            asked = gzip.decompress(asked)
        told = (
            self._npm(server, json.loads(asked))
            if self.path.startswith("/-/npm/")
            else self._osv(server, json.loads(asked))
        )
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _osv(self, server: Advisories, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["package"]["name"]
        server.asked.add((name, asked["version"]))
        return {"vulns": [server.known[name]]} if name in server.known else {}

    def _npm(self, server: Advisories, asked: dict[str, list[str]]) -> dict[str, Any]:
        server.asked.update((name, version) for name, versions in asked.items() for version in versions)
        return {name: server.npm[name] for name in asked.keys() & server.npm.keys()}

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    server = Advisories()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def audit(port: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it against a server of advisories at a port."""
    told = f"-s osv --osv-url http://127.0.0.1:{port}/v1/query"
    command = ["make", "--no-print-directory", "audit", f"PYTHON={sys.executable}", f"T={told}", *words]
    npm = {"npm_config_registry": f"http://127.0.0.1:{port}/", "npm_config_fetch_retries": "0"}
    return subprocess.run(command, cwd=ROOT, env=os.environ | npm, capture_output=True, text=True, check=False)


def test_a_package_with_an_advisory_is_named_and_every_locked_one_is_asked_for(advisories: Advisories) -> None:
    assert audit(advisories.server_port).returncode == 0
    assert {name for name, _ in advisories.asked} >= {"aiohttp", "cryptography", "mkdocs", "pip-audit", "terser"}
    versions = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]}]
    affected = [{"package": {"name": "aiohttp", "ecosystem": "PyPI"}, "ranges": versions}]
    advisories.known["aiohttp"] = {
        "id": "GHSA-test-0000-0001",
        "summary": "a test",
        "details": "a test",
        "affected": affected,
    }
    advisories.npm["terser"] = [
        {
            "id": 1,
            "url": "https://example.org/GHSA-test-0000-0002",
            "title": "a test",
            "severity": "high",
            "vulnerable_versions": "<999",
            "cwe": [],
            "cvss": {"score": 0, "vectorString": None},
        }
    ]
    done = audit(advisories.server_port, "UNREACHABLE=ok")
    assert done.returncode == 2, "make's own status of a failed command"
    assert "Error 1" in done.stderr
    (version,) = {version for name, version in advisories.asked if name == "aiohttp"}
    assert f"audit: aiohttp {version} (requirements/all.lock): GHSA-test-0000-0001, fixed in 999.0\n" in done.stdout
    assert (
        "audit: terser (client/js/package-lock.json): https://example.org/GHSA-test-0000-0002, a test; affected: <999\n"
        in done.stdout
    )


def test_without_advisories_it_fails_unless_that_is_allowed() -> None:
    nobody = free_port()
    done = audit(nobody)
    assert "Error 2" in done.stderr
    for lock in ("requirements/all.lock", "client/js/package-lock.json"):
        assert f"the packages of {lock} could not be looked up" in done.stdout
    assert "0 packages were looked up" in done.stdout
    assert audit(nobody, "UNREACHABLE=ok").returncode == 0
    packages = of_tool("audit")
    assert len(packages) > 20
    assert refused(packages) == {}
