"""Log that this process often waits for a core: the machine, or the quota of its control group, is short of CPU.

The alert SerendipStarved looks at the same wait by the metrics; a silent process is logged by the supervisor (`server.fleet.supervisor.watchdog`).
"""

from __future__ import annotations

import asyncio
from typing import Final

from server.ops import log
from server.ops.process.cpu_time import Meter, Sample

EVERY_S: Final = 60.0
STARVED: Final = 0.25  # share of the time without a core
logger = log.get()


class CoreWait:
    """The time in which one process was ready to run and had no core. `process`: its name."""

    def __init__(self, process: str, every_s: float = EVERY_S) -> None:
        self._process = process
        self._every_s = every_s

    async def run(self) -> None:
        """Look once a minute, until cancelled; returns if the kernel does not tell."""
        meter = Meter.of_self()
        if meter is None:
            return
        try:
            before = meter.read()
            while before is not None:
                await asyncio.sleep(self._every_s)
                now = meter.read()
                if now is not None:
                    self.look(before, now)
                before = now
        finally:
            meter.close()

    def look(self, before: Sample, now: Sample) -> None:
        """Compare two samples."""
        waited = now.waited - before.waited
        if waited > STARVED * (now.at - before.at):
            logger.warning("process.starved", process=self._process, seconds=round(waited, 1))
