"""Build and start the servers to compare: Serendip, and peers from the registries in build/bench/, each on one processor, as users run it.

A peer does far less than a service: it pairs by arrival and forwards. To match it in cost while also matching, validating, limiting, numbering and
counting is the point. `floor` relays raw TCP: the cost of the kernel alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.support.c_programs import BUILD, compiled, stale
from bench.support.process_inspection import asleep, free_port, listens
from bench.support.results import ROOT
from bench.support.serving import OWN, PATIENCE, SERVER_CPU, Serving

PEERS = ROOT / "bench" / "server" / "peers"
PACKAGES = (
    "picows==2.3.1",
    "websockets==17.4",
    "aiohttp>=3.14,<4",
    "uvloop>=0.23",
)  # of a virtual environment of their own
GO_PACKAGES = Path("/usr/share/gocode")  # where Debian puts them
CRATES = Path("/usr/share/cargo/registry")
NODE_PACKAGES = ("ws@8", "bufferutil@4")
OTHER = "other build"
# The service as it is compared: it counts as it does for an operator, and who leaves is gone.
AS_COMPARED = {
    "SERENDIP_METRICS__ENABLED": "true",
    "SERENDIP_METRICS__PORT": "0",
    "SERENDIP_SESSION__GRACE": "0",
}


class Server(NamedTuple):
    """`command` without its port, which comes last; of the service the program alone, empty for this checkout's. `native`: it speaks serendip.v1;
    `raw`: no WebSocket; `settings`: of the service, beside AS_COMPARED.
    """

    name: str
    command: tuple[str, ...] = ()
    native: bool = False
    raw: bool = False
    settings: tuple[tuple[str, str], ...] = ()


class Running(NamedTuple):
    """A running server; `metrics`: port of its metrics, 0 if it has none."""

    port: int
    pid: int
    metrics: int = 0


SERENDIP = Server("serendip", native=True)  # as it ships: the processes beside it count, too
UNSCREENED = Server("serendip, screening off", native=True, settings=(("SERENDIP_SCREENING__TEXT", "off"),))


def other_build(tree: str) -> list[Server]:
    """Return the service of another checkout, as it ships and with screening off. Raises argparse.ArgumentTypeError if it is not built."""
    program = Path(tree, ".venv/bin/serendip").absolute()
    if not program.exists():
        raise argparse.ArgumentTypeError(f"{tree} is not built: run `make build` there")
    return [
        one._replace(name=one.name.replace("serendip", OTHER), command=(str(program),))
        for one in (SERENDIP, UNSCREENED)
    ]


def floor() -> Server:
    """Return a relay of raw TCP in C: the cost of the kernel alone."""
    return Server("floor", (str(compiled(PEERS / "floor.c")),), raw=True)


def peers() -> list[Server]:
    """Return the peers that can be built here; missing tools are printed, and their peers left out."""
    found = _python()
    if shutil.which("go") and (GO_PACKAGES / "src" / "github.com" / "gorilla" / "websocket").exists():
        found.append(Server("gorilla", (str(_gorilla()),)))
    else:
        print("gorilla is left out: apt-get install golang-go golang-github-gorilla-websocket-dev", file=sys.stderr)
    if shutil.which("cargo") and any(CRATES.glob("tokio-tungstenite-*")):
        found.append(Server("tungstenite", (str(_tungstenite()),)))
    else:
        print("tungstenite is left out: apt-get install cargo librust-tokio-tungstenite-dev", file=sys.stderr)
    npm = shutil.which("npm")
    if npm is not None:
        found.append(Server("ws", ("node", str(_ws(npm)))))
    else:
        print("ws is left out: apt-get install nodejs npm", file=sys.stderr)
    return found


@contextmanager
def running(server: Server, **settings: str) -> Iterator[Running]:
    """Start the server anew on its processor. `settings`: of Serendip, beside AS_COMPARED."""
    if server.native:
        chosen = {**AS_COMPARED, **dict(server.settings), **settings}
        with Serving(core=SERVER_CPU, program=server.command or OWN, **chosen) as serving:
            yield Running(serving.port, serving.pid, serving.metrics)
        return
    port = free_port()
    with tempfile.TemporaryFile() as log:
        command = ["taskset", "-c", SERVER_CPU, *server.command, str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _await_start(process, port)
            yield Running(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_start(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until it listens and is idle."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if listens(port) and asleep(process.pid):
            return
        time.sleep(0.05)  # a poll: a process that starts has no event
    raise RuntimeError(f"does not listen: {process.args!r}")


def _python() -> list[Server]:
    """Return the relays in Python, in their own virtual environment."""
    python = BUILD / "peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD / "peers")], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True
        )
    return [
        Server(name, (str(python), str(PEERS / f"{name}_pairs.py"))) for name in ("picows", "aiohttp", "websockets")
    ]


def _gorilla() -> Path:
    """Return the relay in Go, built from Debian's package of gorilla/websocket."""
    source, target = PEERS / "gorilla_pairs.go", BUILD / "gorilla_pairs"
    if stale(target, source):
        env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_PACKAGES), "GOCACHE": str(BUILD / "go")}
        subprocess.run(["go", "build", "-o", str(target), str(source)], check=True, env=env)
    return target


def _tungstenite() -> Path:
    """Return the relay in Rust, built from Debian's packages of tokio-tungstenite and its dependencies."""
    source, target = PEERS / "tungstenite", BUILD / "rust" / "release" / "tungstenite_pairs"
    if stale(target, source / "main.rs"):
        crates = ('source.crates-io.replace-with="debian"', f'source.debian.directory="{CRATES}"')
        command = ["cargo", "build", "-q", "--release", "--offline", "--target-dir", str(BUILD / "rust")]
        for line in crates:
            command += ["--config", line]
        subprocess.run(command, check=True, cwd=source)
    return target


def _ws(npm: str) -> Path:
    """Return the relay in JavaScript, beside its packages."""
    if not (BUILD / "node_modules" / "ws").exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(BUILD), *NODE_PACKAGES], check=True
        )
    return Path(shutil.copy(PEERS / "ws_pairs.js", BUILD))
