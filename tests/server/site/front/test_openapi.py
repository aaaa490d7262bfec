"""Every HTTP route is described, and what is described is so: asked of a real server with thousands of made-up requests."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from server.ops.config.settings import Settings
from server.site.front.api_documents import FOLDER
from server.site.front.openapi import EARLIER, ROUTES, document
from tests.server.site.web.servers import ROOT, Server

ROUTER = """
import asyncio, json, os, sys
from pathlib import Path
from server.main import app
from server.ops.config.settings import Settings
from server.main.parts.server_parts import Server
from server.ops.process.listening_sockets import Sockets
from server.ops.security import secret_keys as keys

async def run():
    settings = Settings(
        data=Path(sys.argv[1]), mail={"host": "127.0.0.1"}, translation={"url": "http://127.0.0.1:9"},
        challenge={"provider": "turnstile", "site_key": "k", "secret": "s", "origin": "https://challenge.example"},
    )
    secret = keys.load(settings.data)
    server = Server(settings, secret, Sockets())
    await server.open_store(secret)
    routes = app.build(server.services, server.worker, server._safety, server._rights).router.routes()
    print(json.dumps([[route.method, route.resource.canonical] for route in routes if route.method != "HEAD"]))
    sys.stdout.flush()
    os._exit(0)

asyncio.run(run())
"""
EXAMPLES = 8  # requests an operation and phase
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


ALL_ON = {  # nobody answers as its mail server
    "SERENDIP_MAIL__HOST": "127.0.0.1",
    "SERENDIP_MAIL__PORT": "9",
    "SERENDIP_TRANSLATION__URL": "http://127.0.0.1:9",
    "SERENDIP_CHALLENGE__ENABLED": "true",
    "SERENDIP_CHALLENGE__PROVIDER": "turnstile",
    "SERENDIP_CHALLENGE__SITE_KEY": "k",
    "SERENDIP_CHALLENGE__SECRET": "s",
    "SERENDIP_CHALLENGE__ORIGIN": "https://challenge.example",
}


@pytest.fixture(scope="module", params=[ALL_ON, {}], ids=["with all routes", "as it ships"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without limits of rate."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_LIMITS__ENABLED="false", **request.param)
    yield server
    server.stop()


def test_every_route_is_described_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ROUTER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    served = [(method, path) for method, path in json.loads(done.stdout)]
    assert sorted(served) == sorted([*((route.method, route.path) for route in ROUTES), *EARLIER])


def test_no_address_can_be_meant_by_two_descriptions() -> None:
    """Each of two paths of one length has a parameter where the other has a word: which of them is meant?"""

    def overlap(one: str, other: str) -> bool:
        parts = list(zip(one.split("/"), other.split("/"), strict=False))
        kinds = {("{" in mine, "{" in its) for mine, its in parts}
        same = all(mine == its or "{" in mine or "{" in its for mine, its in parts)
        return one.count("/") == other.count("/") and same and {(True, False), (False, True)} <= kinds

    assert overlap("/log/{id}/remove", "/log/delete/{secret}")
    assert [(one, other) for one, other in combinations(document()["paths"], 2) if overlap(one, other)] == []


def test_every_operation_has_an_identifier_of_its_own_and_names_what_is_declared() -> None:
    made = document()
    operations = [one for methods in made["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids) == len(ROUTES)
    assert all(id.isidentifier() for id in ids)
    text = json.dumps(made["paths"])
    used = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert used == set(made["components"]["schemas"])
    assert {name for one in operations for need in one.get("security", ()) for name in need} == set(
        made["components"]["securitySchemes"]
    )


def test_each_page_that_reads_the_cookie_says_so_and_that_a_key_may_stand_in_for_it() -> None:
    paths = document()["paths"]
    rights = {
        (method, path): one["security"]
        for path, methods in paths.items()
        if path.startswith("/privacy/request")
        for method, one in methods.items()
    }
    assert rights.pop(("get", "/privacy/request/{number}")) == [{"identity": []}], "the cookie alone shows it"
    assert len(rights) == 18
    assert all(needed == [{"identity": []}, {}] for needed in rights.values())


def test_the_websocket_has_the_statuses_of_the_protocols_table() -> None:
    table = (FOLDER / "protocol.md").read_text().split("**Handshake.**")[1].split("**Pings.**")[0]
    told = set(re.findall(r"^\| (\d{3}) \|", table, re.M))
    assert len(told) > 5
    assert told == set(document()["paths"]["/ws"]["get"]["responses"])


def test_what_a_route_needs_is_a_setting() -> None:
    for name in {route.needs for route in ROUTES if route.needs}:
        section, _, field = name.partition(".")
        assert hasattr(getattr(Settings(), section), field)


@pytest.mark.timeout(240)
def test_made_up_requests_get_the_answers_that_are_described(server: Server, tmp_path: Path) -> None:
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", str(FOLDER / "openapi.json"),
        "--url", server.url, "--workers", "8", "--max-examples", str(EXAMPLES), "--phases", "examples,fuzzing", "--seed", "1",
        "--checks", CHECKS, "--request-timeout", "10", "--exclude-path", "/events", "--exclude-tag", "moderation", "--no-color",
        "--generation-database", "none",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
