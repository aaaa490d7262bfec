"""Start the real server as a process on a free port, with its own data folder and limits off, since all load comes from loopback."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bench.support.process_inspection import asleep, family, family_times, resident, screened_by

START = "from server.main.cli import main; main()"
OWN = (sys.executable, "-c", START)  # this checkout's `serendip`
SERVER_CPU, LOAD_CPU = "0", "1"  # where a comparison runs the server, and where its load
KEPT = 200  # lines of the log
PATIENCE = 20.0  # seconds to fall asleep after the start, and to end
LOOKS = 3  # at which all its processes sleep in a row: one that starts waits for a file now and then


class Serving:
    """`serendip serve` without metrics; `settings` as in the environment. `core`: processor it is bound to; `program`: another executable."""

    def __init__(self, *, core: str = "", program: Sequence[str] = OWN, **settings: str) -> None:
        self._program = program
        self._bound = ("taskset", "-c", core) if core else ()
        self._settings = {"SERENDIP_LIMITS__ENABLED": "false", "SERENDIP_METRICS__ENABLED": "false", **settings}
        self._data = tempfile.TemporaryDirectory(prefix="serendip-bench-")
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.said: deque[str] = deque(maxlen=KEPT)  # the last lines of its log since it was ready
        self.port = 0
        self.metrics = 0  # the port of its metrics; 0: it shows none
        self.pid = 0  # of the process that serves; who upgrades it says which that is
        self.processes: dict[str, int] = {}  # of a host with workers: the process of each name

    def __enter__(self) -> "Serving":
        command = [*self._bound, *self._program, "serve", "--port", "0", "--data", self._data.name]
        self._process = subprocess.Popen(
            command, env={**os.environ, **self._settings}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.pid = self._process.pid
        seen = ""
        if self._process.stderr is not None:
            for line in self._process.stderr:
                seen += line
                if '"metrics.ready"' in line:
                    self.metrics = json.loads(line)["port"]
                self._hear(line)
                if '"server.ready"' in line:
                    self.port = json.loads(line)["port"]
                    self._reader = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
                    self._reader.start()
                    self._rest()
                    return self
        self.__exit__(None, None, None)
        raise RuntimeError(f"the server did not start: {seen}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)  # who serves now may be another than the one that was started
                self._process.kill()
                self._process.wait()
            if self._reader is not None:
                self._reader.join(5)
            if self._process.stderr is not None:
                self._process.stderr.close()
        self._data.cleanup()

    @property
    def data(self) -> Path:
        """Its data folder."""
        return Path(self._data.name)

    def cpu(self) -> float:
        """CPU seconds, user and system, of all its processes so far: those that screen and look at pictures, too."""
        return sum(family_times(self.pid))

    def resident(self) -> int:
        """Resident bytes."""
        return resident(self.pid)

    def _listen(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._hear(line)
            self.said.append(line)

    def _hear(self, line: str) -> None:
        if '"process.ready"' in line:
            told = json.loads(line)
            self.processes[told["process"]] = told["pid"]

    def _rest(self) -> None:
        """Wait until the start is finished, every process of a host with workers is ready, and those that screen lines have read their rules."""
        workers = int(self._settings.get("SERENDIP_WORKERS", "1"))
        expected = workers + 2 if workers > 1 else 0  # the hub and the frontend beside them
        screened = workers if self._settings.get("SERENDIP_SCREENING__TEXT", "all") != "off" else 0
        end, rested = time.monotonic() + PATIENCE, 0
        while rested < LOOKS and time.monotonic() < end:
            there = len(self.processes) >= expected and screened_by(self.pid) >= screened
            rested = rested + 1 if there and all(map(asleep, family(self.pid))) else 0
            time.sleep(0.05)  # a poll: falling asleep has no event
