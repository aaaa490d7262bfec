"""`serendip probe video` on a deployment that works, and on one that does not: status, figures, the step that failed."""

import json
import subprocess
import sys

import pytest

from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START


def probe(url: str, *options: str) -> tuple[int, dict[str, object]]:
    """The program's status and what it says."""
    command = [sys.executable, "-c", START, "probe", "video", url, "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("way", ["--relay", "--direct"])
def test_a_working_deployment_is_measured(calls: Server, way: str) -> None:
    status, found = probe(calls.url, way)
    assert (status, found["ok"], found["through"]) == (0, True, way[2:] if way == "--direct" else "relay")
    print(found)


def test_a_deployment_without_a_relay_is_told_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("data"))
    try:
        status, found = probe(server.url)
        assert status == 1
        assert "no_turn" in str(found["failed"])
    finally:
        server.stop()


def test_a_relay_that_does_not_answer_is_named_by_its_step(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_VIDEO__TURN="turn:127.0.0.1:9?transport=udp")
    try:
        status, found = probe(server.url, "--within", "4")
        assert status == 1
        assert found["failed"]
        print(found)
    finally:
        server.stop()
