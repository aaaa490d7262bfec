"""Test what `make dist` publishes: each package is built from its sdist and installed into an empty environment, and clients chat by the server."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.ops.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
BARE = {name: value for name, value in os.environ.items() if not name.startswith(("SERENDIP_", "PYTHON"))}
pytestmark = pytest.mark.timeout(3000)  # seconds: it may compile everything, and fetches packages
COMPILED = """
import runpy, setuptools
from pathlib import Path

given = {}
setuptools.setup = given.update
made = runpy.run_path("setup.py")
modules = given["ext_modules"]
files = {file for one in modules for file in (*one.sources, *one.depends)}
missing = [file for file in files if not Path(file).is_file() and not made["is_made"](file)]
print(len(modules), missing, sorted(one.name for one in modules))
"""
ASKS = """
import { Client } from "serendip-client";
import "serendip-client/testing";

const me = new Client(process.argv[2]);
await me.search({ interests: ["from node"] });
for await (const event of me) {
  if (event.type === "matched") await me.say("from the tarball");
  if (event.type === "message") { console.log(event.text); break; }
}
await me.close();
process.exit();
"""


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run a command to its end; return its output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=BARE | more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that is published."""
    folder = tmp_path_factory.mktemp("dist") / "dist"
    run("make", "--no-print-directory", "dist", f"DIST={folder}", f"PYTHON={sys.executable}", cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def source(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's sdist, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    (packed,) = dist.glob("serendip-*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"serendip-{VERSION}"


def installed(folder: Path, package: Path) -> Path:
    """Install into an empty environment of the interpreter that it was built for, dependencies too. Return its interpreter."""
    run(ROOT / "build/tools/bin/python", "-m", "venv", "--without-pip", folder, cwd=ROOT)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", "-q", "--prefer-binary", package, cwd=folder)
    return python


@pytest.fixture(scope="module")
def site(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that runs from the installed wheel, in a folder that holds nothing of the checkout."""
    folder = tmp_path_factory.mktemp("server")
    (wheel,) = dist.glob("serendip-*.whl")
    program = installed(folder / "env", wheel).parent / "serendip"
    environment = BARE | {"SERENDIP_DATA": str(folder / "data"), "SERENDIP_METRICS__PORT": "0"}
    log = folder / "log"
    with (
        log.open("w") as told,
        running(program, "serve", "--port", "0", cwd=folder, env=environment, stderr=told) as server,
    ):
        while not (ready := [line for line in log.read_text().splitlines() if '"server.ready"' in line]):
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{json.loads(ready[0])['port']}"


@pytest.fixture(scope="module")
def python(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the installed Python client alone."""
    (wheel,) = dist.glob("serendip_client-*.whl")
    return installed(tmp_path_factory.mktemp("client") / "env", wheel)


@contextmanager
def running(*command: str | Path, cwd: Path, **more: object) -> Iterator[subprocess.Popen[str]]:
    """A program in the background, terminated at the end."""
    program = subprocess.Popen(list(map(str, command)), cwd=cwd, text=True, **({"env": BARE} | more))  # type: ignore[call-overload]
    try:
        yield program
    finally:
        program.terminate()
        program.communicate(timeout=60)


def test_each_file_has_its_checksum_and_the_sdist_every_source(dist: Path, source: Path) -> None:
    sums = dict(line.split()[::-1] for line in (dist / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.iterdir() if path.name != "SHA256SUMS"
    }
    there = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    words = ("git", "ls-files", "ext", "engine", "server", "client/js", "pyproject.toml", "setup.py", "LICENSE")
    assert set(run(*words, cwd=ROOT).splitlines()) <= there
    assert not [name for name in there if name.endswith((".c", ".so", "compiled.json", "compiled.bin"))]


def test_every_package_has_the_servers_version_and_the_licence(dist: Path) -> None:
    assert {path.name.split("-py3")[0].split("-cp")[0] for path in dist.iterdir()} == {
        f"serendip-{VERSION}", f"serendip-{VERSION}.tar.gz", f"serendip_client-{VERSION}", f"serendip_client-{VERSION}.tar.gz",
        f"serendip-client-{VERSION}.tgz", f"serendip-{VERSION}.cdx.json", "SHA256SUMS",
    }  # fmt: skip
    for packed in (*dist.glob("*.tar.gz"), *dist.glob("*.tgz")):
        with tarfile.open(packed) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert {"LICENSE", "README.md"} <= names, packed.name


def test_the_sdist_alone_compiles(source: Path) -> None:
    tool = ROOT / "build/tools/bin/python"
    told = run(tool, "-c", COMPILED, cwd=source)
    assert told == run(tool, "-c", COMPILED, cwd=ROOT)
    assert " [] " in told, "each module has its source and headers"


def test_an_sdist_is_made_without_translating_anything(source: Path, tmp_path: Path) -> None:
    run(ROOT / "build/tools/bin/python", "setup.py", "-q", "sdist", "--dist-dir", tmp_path, cwd=source)
    assert not list(source.rglob("*.c"))
    assert [path.name for path in tmp_path.iterdir()] == [f"serendip-{VERSION}.tar.gz"]


def test_the_server_and_the_python_client_chat_each_installed_by_itself(
    site: str, python: Path, tmp_path: Path
) -> None:
    program = (python, "-m", "serendip_client")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with (
        running(*program, "echo", site, cwd=tmp_path, stderr=subprocess.DEVNULL),
        running(*program, "talk", site, "--topics", "echo", "--stay", cwd=tmp_path, **pipes) as talk,
    ):
        assert talk.stdin is not None
        assert talk.stdout is not None
        talk.stdin.write("from the wheel\n")
        talk.stdin.flush()
        assert talk.stdout.readline() == "Stranger: from the wheel\n"


def test_the_installed_python_client_alone_measures_the_server(site: str, python: Path, tmp_path: Path) -> None:
    words = ("load", site, "--users", "2", "--seconds", "3", "--lines", "2", "--pause", "0.2", "--json")
    figures = json.loads(run(python, "-m", "serendip_client", *words, cwd=tmp_path))
    assert figures["chats"] > 0
    assert figures["lines"] >= 4 * figures["chats"]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm packs it")
def test_node_chats_with_the_installed_javascript_package(dist: Path, site: str, python: Path, tmp_path: Path) -> None:
    (packed,) = dist.glob("*.tgz")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--offline", packed, cwd=tmp_path)
    (tmp_path / "asks.mjs").write_text(ASKS)
    echo = (python, "-m", "serendip_client", "echo", site, "--topics", "from node")
    with running(*echo, cwd=tmp_path, stderr=subprocess.DEVNULL):
        assert run("node", "asks.mjs", site, cwd=tmp_path) == "from the tarball\n"
