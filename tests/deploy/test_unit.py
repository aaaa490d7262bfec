"""The unit of `deploy/` is one that systemd takes, hardened as it says, and the server can live with what it forbids."""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from bench.support.serving import Serving
from server.ops.config.settings import Settings
from server.ops.health.stop_limit import ENDING_S
from tests.deploy.proxies import DEPLOY
from tests.support.users import reads_proc

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
    (seen,) = re.findall(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    version = analyzed("--version").stdout.split()[1]
    told, of = re.findall(
        r"security` \((\d+)\) gives it ([0-9.]+) of 10", (DEPLOY.parent / "docs/operate/deploy.md").read_text()
    )[0]
    assert version != told or seen == of


def test_a_reload_is_an_upgrade_and_the_process_that_follows_may_say_so() -> None:
    found = service()
    assert found["Type"] == "notify"
    assert found["NotifyAccess"] == "all"  # the successor is no main process yet when it says that it is
    program = found["ExecStart"].split()[0]
    assert found["ExecReload"] == f"{program} upgrade"
    assert "main" not in found.get("KillMode", "")  # what is left of a process that moved away ends with the unit


def test_a_start_has_the_time_that_a_large_database_takes() -> None:
    """With `Type=notify` systemd waits for it, 90 seconds unless it is told otherwise; so it does for an upgrade."""
    told = analyzed("timespan", service()["TimeoutStartSec"]).stdout
    assert int(re.search(r"μs: (\d+)", told)[1]) >= 600 * 1_000_000  # type: ignore[index]


def test_what_an_upgrade_asks_of_the_system_is_not_forbidden() -> None:
    found = service()
    allowed = calls("@system-service") - calls("@privileged")
    assert needs_of_an_upgrade() <= allowed
    assert "AF_UNIX" in found["RestrictAddressFamilies"].split()


def needs_of_an_upgrade() -> set[str]:
    """System calls: a pair of sockets, descriptors over it, large records in memory files, a child and its death, the waiter."""
    return {
        *("socketpair", "sendmsg", "recvmsg", "memfd_create", "dup", "vfork", "clone", "clone3", "execve", "waitid"),
        *("wait4", "pidfd_open", "pidfd_send_signal", "prctl", "pipe2", "rt_sigtimedwait", "rt_sigprocmask", "kill"),
        *("bind", "listen", "accept4", "chmod", "rename", "unlink", "openat"),
    }


def calls(group: str) -> set[str]:
    """The system calls of a group, with those of the groups in it."""
    words = {line.strip() for line in analyzed("syscall-filter", group).stdout.splitlines()[1:]}
    names = {word for word in words if word and not word.startswith("#")}
    return {name for name in names if name[0] != "@"}.union(*(calls(name) for name in names if name[0] == "@"))


def test_it_waits_for_the_drain_dumps_no_core_and_allows_many_connections() -> None:
    found = service()
    assert float(found["TimeoutStopSec"]) > Settings().server.drain + ENDING_S
    assert found["LimitCORE"] == "0"
    assert found["MemorySwapMax"] == "0", "what people write reaches no disk"
    assert int(found["LimitNOFILE"]) >= 100_000


@reads_proc
def test_the_server_has_no_memory_that_is_written_and_run() -> None:
    """`MemoryDenyWriteExecute` would refuse it."""
    with Serving() as server:
        maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert "reactor" in maps
    assert re.findall(r"^\S+ .?wx.*", maps, re.M) == []
