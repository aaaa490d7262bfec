"""Run a real coturn with the shipped configuration, on loopback and free ports; only what a machine without a network needs differs."""

import re
import socket
import subprocess
import threading
import time
from pathlib import Path

from bench.support.process_inspection import free_port
from bench.support.results import ROOT

SECRET = "of tests and benches"
READY = 10.0  # seconds for coturn to answer


class Turn:
    """coturn; `log`: its output so far. Before `start` its ports are known, and it does not run."""

    def __init__(self, folder: Path, *, start: bool = True) -> None:
        self.port = _port_of_both()
        self.reports_port = free_port()
        shipped = (ROOT / "deploy" / "coturn.conf").read_text()
        config = folder / "turnserver.conf"
        # loopback is this relay's own address here, as a public one is elsewhere; its range stays denied as it ships
        shipped = re.sub(r"^listening-port=.*$", f"listening-port={self.port}", shipped, flags=re.M)
        config.write_text(re.sub(r"port=9465", f"port={self.reports_port}", shipped))
        self._command = [
            "turnserver", "-c", str(config), f"--static-auth-secret={SECRET}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1",
            "--allow-loopback-peers", "--allowed-peer-ip=127.0.0.1", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}",
        ]  # fmt: skip
        self.log: list[str] = []
        self._folder = folder
        if start:
            self.start()

    def start(self) -> None:
        """Run it, and wait until it answers. Raises RuntimeError if it does not."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self._folder,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._await()

    @property
    def url(self) -> str:
        """URL for settings."""
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    @property
    def settings(self) -> dict[str, str]:
        """Return the server's settings for it."""
        return {
            "SERENDIP_VIDEO__TURN": self.url,
            "SERENDIP_VIDEO__TURN_SECRET": SECRET,
            "SERENDIP_VIDEO__REPORTS": "true",
            "SERENDIP_VIDEO__REPORTS_PORT": str(self.reports_port),
        }

    def _read(self) -> None:
        if self._process.stdout is not None:
            self.log += (line for line in self._process.stdout)

    def _await(self) -> None:
        """Send a STUN request until it is answered."""
        end = time.monotonic() + READY
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            while time.monotonic() < end:
                sock.sendto(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"serendiptest", ("127.0.0.1", self.port))
                try:
                    sock.recv(2048)
                except OSError:
                    continue
                return
        self.stop()
        raise RuntimeError("coturn did not answer: " + "".join(self.log[-20:]))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _port_of_both() -> int:
    """Return a port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return int(udp.getsockname()[1])
