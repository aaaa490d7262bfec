"""The real server as a process of its own, for benches that need its CPU time.

Rule: on a free port, with a data folder of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

START = "from server.cli import main; main()"
TICKS = os.sysconf("SC_CLK_TCK")


class Serving:
    """`serendip serve`, with the verdicts of limits lifted; `settings` as in the environment."""

    def __init__(self, **settings: str) -> None:
        self._settings = {"SERENDIP_LIMITS__ENABLED": "false", "SERENDIP_METRICS__ENABLED": "false", **settings}
        self._data = tempfile.TemporaryDirectory(prefix="serendip-bench-")
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.pid = 0

    def __enter__(self) -> "Serving":
        command = [sys.executable, "-c", START, "serve", "--port", "0", "--data", self._data.name]
        self._process = subprocess.Popen(
            command, env={**os.environ, **self._settings}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.pid = self._process.pid
        seen = ""
        if self._process.stderr is not None:
            for line in self._process.stderr:
                seen += line
                if '"server.ready"' in line:
                    self.port = json.loads(line)["port"]
                    self._reader = threading.Thread(target=self._process.stderr.read, daemon=True)
                    self._reader.start()
                    return self
        raise RuntimeError(f"the server did not start: {seen}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._reader.join(5)
            if self._process.stderr is not None:
                self._process.stderr.close()
        self._data.cleanup()

    def cpu(self) -> float:
        """CPU seconds, user and system, that the server used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
