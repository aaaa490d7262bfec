"""The real server as a process of its own, and a network that can be cut between it and a browser.

Rule: everything is on loopback, on free ports, and ends with the test.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TextIO

from tests.support.forkserver import START
from tests.support.groups import may_start

ROOT = Path(__file__).resolve().parents[4]
# One address plays everybody here, so the limits of an address are wide; those of a person are as they ship.
WIDE = {
    "SERENDIP_LIMITS__CONNECTIONS": "2000",
    "SERENDIP_LIMITS__NEWCOMERS": "2000",
    "SERENDIP_LIMITS__CONNECT_BURST": "2000",
    "SERENDIP_LIMITS__CONNECT_RATE": "500",
    "SERENDIP_LIMITS__LATE": "0",  # the machine may be late with everything
    "SERENDIP_CHALLENGE__ENABLED": "false",
    "SERENDIP_METRICS__ENABLED": "false",
    "SERENDIP_CONSOLE__ENABLED": "false",
    "SERENDIP_LOG__LEVEL": "info",
    "SERENDIP_SAFETY__UNATTENDED": "true",  # some answer by public names
}


class Server:
    """`serendip serve` on a port that stays the same across restarts. `strange`: what it wrote that is no line of its log.

    `first`: Python that runs before it, in its process; `root`: the sources that it runs from.
    """

    def __init__(self, data: Path, first: str = "", port: int = 0, **settings: str) -> None:
        self._data = data
        self.first = first
        self._settings = settings
        self.before = ""  # what it wrote to its log until it was ready
        self.said = ""  # and since
        self._process: subprocess.Popen[str] | None = None
        self.port = port  # 0: any free one
        self.root = ROOT
        self.strange: list[str] = []
        self.start()

    @property
    def pid(self) -> int:
        """Of the process that runs. Raises AttributeError where none does."""
        return self._process.pid  # type: ignore[union-attr]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start, and wait for the lines that say that connections are taken and that the store is open."""
        may_start()
        command = [
            sys.executable,
            "-c",
            self.first + START,
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self._data),
        ]
        environment = {**os.environ, **WIDE, **self._settings}
        self._process = subprocess.Popen(command, cwd=self.root, env=environment, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self.before = ""
        ready, opened = False, environment.get("SERENDIP_STORE__ENABLED") == "false"
        for line in self._process.stderr:
            self.before += line
            if '"server.ready"' in line:
                self.port = json.loads(line)["port"]
                ready = True
            opened = opened or '"store.opened"' in line
            if ready and opened:
                self._reader = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
                self._reader.start()
                return
        raise RuntimeError(f"the server did not start: {self.before}")

    def _listen(self, log: TextIO) -> None:
        """Take what it writes, so that it never waits for us."""
        for line in log:
            self.said += line
            if not line.startswith("{"):
                self.strange.append(line)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it: SIGTERM drains, SIGKILL does not. Its exit status; 0 where it does not run."""
        if self._process is None:
            return 0
        self._process.send_signal(how)
        status = self._process.wait(20)
        self._reader.join(5)
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._process = None
        return status


class Network:
    """A proxy in front of a server. `cut()` resets what is open and refuses what comes; `mend()` ends that.

    `source`: the loopback address from which the server sees everybody behind it.
    """

    def __init__(self, port: int, source: str = "") -> None:
        self._behind = port
        self._source = (source, 0) if source else None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._down = False
        self._silent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the page is, through here."""
        return f"http://127.0.0.1:{self.port}/"

    def _accept(self) -> None:
        while True:
            try:
                front, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                self._reset(front)
                continue
            try:
                back = socket.create_connection(("127.0.0.1", self._behind), source_address=self._source)
            except OSError:  # the server is down
                self._reset(front)
                continue
            with self._lock:
                self._open += [front, back]
            for source, sink in ((front, back), (back, front)):
                threading.Thread(target=self._pump, args=(source, sink, self._silent), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        try:
            while data := source.recv(65536):
                if not silent.is_set():
                    sink.sendall(data)
            if not silent.is_set():
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(source)
            self._reset(sink)

    @staticmethod
    def _reset(sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already
        sock.close()

    def cut(self) -> None:
        """Reset every connection; refuse new ones."""
        self._down = True
        with self._lock:
            for sock in self._open:
                self._reset(sock)
            self._open.clear()

    def hush(self) -> None:
        """Swallow everything from now on without a sign, as a network does that is out of reach."""
        self._silent.set()

    def renew(self) -> None:
        """Connections that are open stay dead; new ones go through, as on another network."""
        self._silent = threading.Event()

    def mend(self) -> None:
        """Let new connections through."""
        self._down = False
        self._silent.clear()

    def close(self) -> None:
        """Stop for good."""
        self.cut()
        self._listener.close()
