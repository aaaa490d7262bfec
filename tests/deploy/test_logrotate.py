"""What the proxy logs ends after 14 days: `deploy/logrotate.conf` as shipped, run by the real program."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.proxies import DEPLOY

PROGRAM = "/usr/sbin/logrotate"
DAY = 86_400


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """The file, for a folder of the test's own; who owns what it makes is the test's user."""
    text = (DEPLOY / "logrotate.conf").read_text().replace("/var/log/serendip/", f"{tmp_path}/logs/")
    text = text.replace("/run/nginx.pid", f"{tmp_path}/nginx.pid")
    file = tmp_path / "logrotate.conf"
    file.write_text(re.sub("create 0640 .*", "create 0640", text))
    file.chmod(0o644)
    (tmp_path / "logs").mkdir(mode=0o750)
    return file


def rotate(shipped: Path) -> None:
    """One day's run."""
    words = [PROGRAM, "--force", "--state", str(shipped.with_name("state")), str(shipped)]
    subprocess.run(words, check=True, timeout=20, capture_output=True)


def test_a_line_is_gone_after_fourteen_days_even_if_nobody_comes_any_more(shipped: Path) -> None:
    logs = shipped.with_name("logs")
    for name in ("access.log", "error.log"):
        (logs / name).write_text("203.0.113.5 GET /\n")
    for _ in range(13):
        rotate(shipped)
    assert sorted(path.name for path in logs.glob("*.13.gz")) == ["access.log.13.gz", "error.log.13.gz"]
    rotate(shipped)
    kept = [path for path in logs.iterdir() if path.suffix == ".log" and path.stat().st_size]
    assert kept == []
    assert len(list(logs.glob("access.log.*"))) == 13
    for path in logs.glob("*.gz"):
        assert subprocess.run(["zcat", str(path)], check=True, capture_output=True).stdout == b""


def test_what_a_stopped_machine_left_goes_by_its_age(shipped: Path) -> None:
    logs = shipped.with_name("logs")
    (logs / "access.log").write_text("x\n")
    for number, days in ((1, 2), (2, 30)):
        old = logs / f"access.log.{number}.gz"
        old.write_bytes(b"")
        os.utime(old, (time.time() - days * DAY,) * 2)
    rotate(shipped)
    assert sorted(path.name for path in logs.iterdir()) == ["access.log", "access.log.1.gz", "access.log.2.gz"]


def test_nginx_logs_where_it_is_rotated() -> None:
    folder = "/var/log/serendip/"
    logged = re.findall(r"^\s*(?:access_log|error_log) (/var[^ ;]*)", (DEPLOY / "nginx.conf").read_text(), re.M)
    assert logged
    assert all(path.startswith(folder) and path.endswith(".log") for path in logged)
    assert f"{folder}*.log {{" in (DEPLOY / "logrotate.conf").read_text()
