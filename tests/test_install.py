"""What `make install` leaves on a server: little, all that is served, PostgreSQL too, and nothing of the tests, the benches or the checkout."""

import json
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.ops.version import VERSION
from tests.support.services import postgres

ROOT = Path(__file__).resolve().parent.parent
# bytes: it has 213 MB now, 36 of them what Babel knows of languages, 31 ours; the tools of a developer have a gigabyte
LARGEST = 220 * 1024 * 1024
BARE = {name: value for name, value in os.environ.items() if not name.startswith(("SERENDIP_", "PYTHON"))}
pytestmark = pytest.mark.timeout(900)  # seconds: it compiles everything, and may have to fetch the packages


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder into which it was installed."""
    folder = tmp_path_factory.mktemp("install") / "serendip"
    command = ["make", "--no-print-directory", "install", f"PREFIX={folder}", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, env=BARE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@contextmanager
def served(prefix: Path, folder: Path, **settings: str) -> Iterator[int]:
    """The installed program, started from a folder that holds nothing of ours; its port."""
    environment = {**BARE, "SERENDIP_DATA": str(folder / "data"), "SERENDIP_METRICS__PORT": "0", **settings}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [prefix / "bin" / "serendip", "serve", "--port", "0"],
            cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=log, text=True,
        )  # fmt: skip
    assert process.stderr is not None
    try:
        seen = ""
        for line in process.stderr:
            seen += line
            if '"server.ready"' in line:
                yield json.loads(line)["port"]
                break
        else:
            raise AssertionError(seen)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return str(answer.read().decode())


def locked() -> set[str]:
    """The packages that a server runs on, as a distribution's folder spells them."""
    lock = (ROOT / "requirements" / "serve.lock").read_text()
    here = re.findall(r"^([a-z0-9-]+)==\S+(?! ; sys_platform == 'win32')", lock, re.M)
    return {name.replace("-", "_") for name in here} - {"colorama"}  # Windows'


def test_it_is_small_and_holds_the_locked_packages_and_no_other(prefix: Path) -> None:
    size = sum(path.lstat().st_size for path in prefix.rglob("*"))
    assert size <= LARGEST, f"{size / 1024 / 1024:.0f} MB"
    there = {path.name.split("-")[0].lower() for path in prefix.glob("lib/python*/site-packages/*.dist-info")}
    assert there == locked() | {"serendip"}


def test_it_says_which_version_of_which_commit_it_is(prefix: Path) -> None:
    told = subprocess.run(
        [prefix / "bin" / "serendip", "--version"], cwd="/", capture_output=True, text=True, check=True
    )
    assert re.fullmatch(rf"serendip {re.escape(VERSION)} \([0-9a-f]{{12}}(-dirty)?\)\n", told.stdout), told.stdout


def test_the_manual_the_alert_rules_and_the_examples_are_installed(prefix: Path) -> None:
    def told(*words: str) -> str:
        command = [prefix / "bin" / "serendip", *words]
        return subprocess.run(command, cwd="/", env=BARE, capture_output=True, text=True, check=True).stdout

    assert "**Do not**" in told("help", "SerendipDown")
    assert "alert: SerendipHeartbeat" in told("alerts", "rules")
    assert (prefix / "manual" / "deploy" / "nats_keys.py").is_file()
    assert (prefix / "manual" / "docs" / "operate" / "README.md").is_file()


def test_a_source_distribution_says_its_commit_too(prefix: Path, tmp_path: Path) -> None:
    command = [ROOT / "build/tools/bin/python", "setup.py", "-q", "sdist", "--dist-dir", tmp_path]
    subprocess.run(command, cwd=ROOT, env=BARE, capture_output=True, check=True)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        (name,) = (name for name in archive.getnames() if name.endswith("/server/commit.txt"))
        file = archive.extractfile(name)
        assert file is not None
        said = file.read().decode().strip()
    told = subprocess.run([prefix / "bin" / "serendip", "--version"], capture_output=True, text=True, check=True).stdout
    assert f"({said})" in told


def test_the_page_and_what_it_is_made_of_are_served_over_postgresql(prefix: Path, tmp_path: Path) -> None:
    with postgres() as cluster:
        cluster.sql("CREATE DATABASE installed")
        url = cluster.url("installed").replace("+asyncpg", "")
        with served(prefix, tmp_path, SERENDIP_STORE__URL=url, SERENDIP_LIMITS__ENABLED="false") as port:
            while '"status":"ready"' not in get(port, "/readyz"):
                time.sleep(0.05)  # it serves before its database has answered
            page = get(port, "/")
            for address in re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page):
                assert get(port, address)
            assert "<title>" in page
            assert get(port, "/privacy")
        assert cluster.sql("SELECT count(*) FROM alembic_version", "installed") == "1"


def test_a_folder_with_something_else_in_it_is_left_alone() -> None:
    command = ["make", "--no-print-directory", "install", f"PREFIX={ROOT}", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, env=BARE, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "holds something else" in done.stdout
    assert not (ROOT / "pyvenv.cfg").exists()
