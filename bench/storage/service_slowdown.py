"""Run a service beside a measured task. How long the service's own work then takes shows the cost of that task."""

from __future__ import annotations

import asyncio
import time

from bench.storage.store_kit import Kit, ended
from server.data.records.transcript import Line, Transcript


class Lag:
    """Longest gap of an event loop that should turn every millisecond."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - 0.001)
            last = now

    def stop(self) -> float:
        """Return the longest gap, in seconds."""
        self._task.cancel()
        return self.worst


class Service:
    """Work of a server meanwhile: ten chats recorded, a log saved and shown, fifty times a second; and the duration of each."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._writer = kit.writer()
        self._writer.start()
        self._stop = False
        self._lag = Lag()
        self._saves: list[float] = []
        self._task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        index = 0
        while not self._stop:
            for _ in range(10):
                self._writer.record(ended(50_000_000 + index, time.time()))
                index += 1
            start = time.perf_counter()
            saved = await self._kit.logs.save(Transcript("text", 0, (Line(0, 0, "hello"),)), ())
            self._saves.append(time.perf_counter() - start)
            assert await self._kit.logs.show(saved.log)
            await asyncio.sleep(0.02)

    async def stop(self, when: str) -> float:
        """End it, print the longest of each, and return the loop's longest stall in seconds."""
        self._stop = True
        await self._task
        await self._writer.flush()
        await self._writer.close(5)
        saves, counts, stall = sorted(self._saves), self._writer.counts, self._lag.stop()
        print(
            f"{when}: loop's longest stall {stall * 1e3:.1f} ms; records' slowest batch {counts.longest * 1e3:.1f} ms"
            f" ({sum(counts.batches.reading().counts)} batches, {counts.lost} lost);"
            f" a save (two commits and an object): median {saves[len(saves) // 2] * 1e3:.1f},"
            f" p99 {saves[int(len(saves) * 0.99)] * 1e3:.1f}, longest {saves[-1] * 1e3:.1f} ms ({len(saves)} saves)"
        )
        return stall
