"""Servers to measure: Serendip, and peers rebuilt from the registries into build/bench/. Rule: each on processor 0, as users run it.

A peer does far less than a service: it pairs by arrival and forwards. To be level with it while matching, validating,
limiting, numbering and counting is the point. `floor` relays raw TCP: what the kernel alone costs.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
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
SERVER_CPU, LOAD_CPU = "0", "1"
PATIENCE = 20.0  # seconds for a server to listen


class Server(NamedTuple):
    """`command` without its port, which comes last; `native`: it speaks serendip.v1; `raw`: no WebSocket."""

    name: str
    command: tuple[str, ...]
    native: bool = False
    raw: bool = False


def serendip(interpreter: str = sys.executable) -> Server:
    """The service itself."""
    return Server(
        "serendip", (interpreter, "-c", "from server.cli import main; main()", "serve", "--port"), native=True
    )


def build_load() -> Path:
    """The generator, compiled."""
    return _compiled(ROOT / "bench" / "load" / "load.c")


def floor() -> Server:
    """A relay of raw TCP in C: what the kernel alone costs."""
    return Server("floor", (str(_compiled(PEERS / "floor.c")),), raw=True)


def peers() -> list[Server]:
    """Those that can be built here; what is missing is said and left out."""
    found = []
    python = BUILD / "peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD / "peers")], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True
        )
    found += [
        Server(name, (str(python), str(PEERS / f"{name}_pairs.py"))) for name in ("picows", "aiohttp", "websockets")
    ]
    if shutil.which("go") and (GO_PACKAGES / "src" / "github.com" / "gorilla" / "websocket").exists():
        found.append(Server("gorilla", (str(_gorilla()),)))
    else:
        print("gorilla is left out: apt-get install golang-go golang-github-gorilla-websocket-dev", file=sys.stderr)
    if shutil.which("cargo") and any(CRATES.glob("tokio-tungstenite-*")):
        found.append(Server("tungstenite", (str(_tungstenite()),)))
    else:
        print("tungstenite is left out: apt-get install cargo librust-tokio-tungstenite-dev", file=sys.stderr)
    npm = shutil.which("npm")
    if npm is None:
        print("ws is left out: apt-get install nodejs npm", file=sys.stderr)
        return found
    if not (BUILD / "node_modules" / "ws").exists():
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(BUILD), *NODE_PACKAGES], check=True
        )
    shutil.copy(PEERS / "ws_pairs.js", BUILD)
    return [*found, Server("ws", ("node", str(BUILD / "ws_pairs.js")))]


@contextmanager
def running(server: Server, **env: str) -> Iterator[tuple[int, int]]:
    """(port, pid) of the server, started anew on processor 0; limits lifted, for all load comes from loopback."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        settings = {
            "SERENDIP_LIMITS__ENABLED": "false",
            "SERENDIP_METRICS__PORT": "0",
            "SERENDIP_DATA": str(Path(folder) / "data"),
            "SERENDIP_SESSION__GRACE": "0",
        }
        command = ["taskset", "-c", SERVER_CPU, *server.command, str(port)]
        told = Path(folder) / "log"
        log = told.open("w")
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **settings, **env}
        )
        try:
            await_start(
                process, (lambda: "server.ready" in told.read_text()) if server.native else lambda: listens(port)
            )
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def await_start(process: subprocess.Popen[bytes], started: Callable[[], bool]) -> None:
    """Wait until it has started and fallen asleep, for nothing is left to do."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if started() and asleep(process.pid):
            return
        time.sleep(0.05)  # a poll: a process that starts has no event
    raise RuntimeError(f"does not listen: {process.args!r}")


def listens(port: int) -> bool:
    """Whether anybody listens there. By the kernel's table: a connection to a peer would be somebody's partner."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[3] == "0A" and row[1].endswith(f":{port:04X}") for row in rows)


def asleep(pid: int) -> bool:
    """Whether the process waits for something to happen."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def memory(pid: int) -> int:
    """Bytes of a process that are its own (proportional set size)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def settled(pid: int) -> None:
    """Wait until the process has held the same memory for half a second; ten at most."""
    seen = [memory(pid)]
    while len(seen) < 100 and (len(seen) < 6 or len(set(seen[-6:])) > 1):
        time.sleep(0.1)  # a poll: memory has no event
        seen.append(memory(pid))


def _gorilla() -> Path:
    """The relay in Go, built from Debian's package of gorilla/websocket."""
    source, target = PEERS / "gorilla_pairs.go", BUILD / "gorilla_pairs"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_PACKAGES), "GOCACHE": str(BUILD / "go")}
        subprocess.run(["go", "build", "-o", str(target), str(source)], check=True, env=env)
    return target


def _tungstenite() -> Path:
    """The relay in Rust, built from Debian's packages of tokio-tungstenite and what it needs."""
    source, target = PEERS / "tungstenite", BUILD / "rust" / "release" / "tungstenite_pairs"
    if not target.exists() or target.stat().st_mtime < (source / "main.rs").stat().st_mtime:
        crates = ('source.crates-io.replace-with="debian"', f'source.debian.directory="{CRATES}"')
        command = ["cargo", "build", "-q", "--release", "--offline", "--target-dir", str(BUILD / "rust")]
        for line in crates:
            command += ["--config", line]
        subprocess.run(command, check=True, cwd=source)
    return target


def _compiled(source: Path) -> Path:
    target = BUILD / source.stem
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-o", str(target), str(source)], check=True)
    return target
