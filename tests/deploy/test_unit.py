"""The unit of `deploy/` is one that systemd takes, hardened as it says, and the server can live with what it forbids."""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from bench.support.serving import Serving
from server.config.settings import Settings
from tests.deploy.proxies import DEPLOY

UNIT = DEPLOY / "serendip.service"
EXPOSURE = 15  # tenths, by `systemd-analyze security`: 1.5 is "OK", a unit that forbids nothing has 9.6


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The file as shipped, with a program that exists here."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/serendip/bin/serendip", sys.executable))
    return copy


def service() -> dict[str, str]:
    """The settings of [Service]; of those that are given twice the last."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return dict(parser["Service"])


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line(unit: Path) -> None:
    done = analyzed("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_exposure_is_small(unit: Path) -> None:
    done = analyzed("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit))
    assert done.returncode == 0, done.stdout[-200:]


def test_it_waits_for_the_drain_dumps_no_core_and_allows_many_connections() -> None:
    found = service()
    assert float(found["TimeoutStopSec"]) > Settings().server.drain
    assert found["LimitCORE"] == "0"
    assert int(found["LimitNOFILE"]) >= 100_000


def test_the_server_has_no_memory_that_is_written_and_run() -> None:
    """`MemoryDenyWriteExecute` would refuse it."""
    with Serving() as server:
        maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert "reactor" in maps
    assert re.findall(r"^\S+ .?wx.*", maps, re.M) == []
