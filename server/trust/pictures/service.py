"""Pictures of cameras as the server uses them. Rule: they are looked at while a program can and a person reads cases; else nobody is asked for one,
and nobody is told that anybody is.

    engine ─ ask ─▷ Nonces (where people are) ─ looked at ─▷ Looks (where HTTP is) ─ told ─▷ engine
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import Reading
from server.trust.pictures.picture_client import Judging
from server.trust.pictures.picture_provider import Http
from server.trust.pictures.picture_requests import Looks

EVERY: Final = 0.5  # seconds between looks at whether pictures are looked at, and how many wait, while there are any
SELDOM: Final = 2.0  # the same while there is none: what changes then is told
CROWDED: Final = 50  # strips that wait: people are asked half as often
OFF: Final = 0.0  # seconds between two looks at somebody: they are not looked at


class Pictures:
    """Of one host, in the process of that name. `moderated`: whether somebody reads cases; `told`: what is known of the picture of a nonce."""

    def __init__(
        self, process: str, settings: Settings, moderated: Callable[[], bool], told: Callable[[str, str], None]
    ) -> None:
        chosen = settings.pictures
        self._chosen = chosen
        self._moderated = moderated
        self._news, self._wanted = asyncio.Event(), asyncio.Event()  # something changed; somebody reads cases
        self._judging = Judging(process, chosen, settings.data)
        self._judging.changed = self._news.set
        self._elsewhere = Http(chosen, self._judging) if chosen.provider == "http" else None
        self.told = told
        self.looks = Looks(
            self._elsewhere or self._judging,
            int(chosen.memory),
            chosen.agree,
            chosen.differ,
            lambda nonce, what: self.told(nonce, what),
        )
        self.changed: Callable[[float], None] = lambda _: None  # told of `mean`, whenever it is another one
        self.people_are_asked = False  # as they are told; from the moment on in which a chat that begins is looked at

    @property
    def on(self) -> bool:
        """Whether they are looked at now."""
        return self._judging.up and self._moderated()

    @property
    def mean(self) -> float:
        """Seconds between two looks at a chat, on average, as it is now; OFF."""
        if not self.on:
            return OFF
        return self._chosen.mean * (2 if self._judging.waiting > CROWDED else 1)

    async def glance(self, still: bytes, frames: int) -> str:
        """The verdict on a picture that nobody asked for, `frames` of them below each other; "": nobody looked. It goes to no other company."""
        if self._chosen.mode != "on" or not self.on:
            return ""
        seen = await self._judging.glance(still, frames)
        return "" if seen is None else seen.verdict

    def look_now(self) -> None:
        """Whether somebody reads cases is another thing than it was."""
        self._news.set()

    def start(self, tasks: Tasks) -> None:
        """Begin."""
        tasks.start("pictures", self._work)
        tasks.start("pictures-looked", self._look)

    async def _work(self) -> None:
        """Until it is cancelled: a program is there from when somebody reads cases on. It takes 140 MB, which others need not give."""
        await self._wanted.wait()
        await self._judging.run()

    async def _look(self) -> None:
        """Until it is cancelled: forget what is over, and tell whoever has people how often they are looked at."""
        said = None
        while True:
            self._news.clear()
            self.looks.sweep(time.monotonic())
            if self._moderated():
                self._wanted.set()
            mean = self.mean
            if mean != said:
                said = mean
                self.changed(mean)
                self.people_are_asked = mean > OFF
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._news.wait(), EVERY if self.looks.anything or self._judging.busy else SELDOM
                )

    async def close(self, tasks: Tasks) -> None:
        """Nobody is looked at any more."""
        for name in ("pictures-looked", "pictures"):
            await tasks.end(name)
        await self.looks.close()
        if self._elsewhere is not None:
            await self._elsewhere.stop()

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        wanted = {"serendip_pictures_wanted": int(self._moderated())}
        return {**self._judging.reading(), **self.looks.reading(), **wanted}
