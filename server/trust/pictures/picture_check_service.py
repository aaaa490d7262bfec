"""Offer the checks of camera pictures to the rest of the server as one object.

**Invariant:** checks run only while the picture process answers and moderators read cases; otherwise no browser sends a picture, and no page says
that it will.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.metric_type import Reading
from server.ops.process.first_done import is_set_within
from server.trust.pictures.picture_client import PictureClient
from server.trust.pictures.picture_nonces import are_pictures_possible
from server.trust.pictures.picture_process_codec import Judged
from server.trust.pictures.remote_scores import RemoteJudge
from server.trust.pictures.requested_pictures import PictureRequests

EVERY: Final = 0.5  # seconds between updates of state and queue while there are pictures
SELDOM: Final = 2.0  # the same without pictures: changes then wake the task
CROWDED: Final = 50  # waiting strips beyond which chats are asked half as often
OFF: Final = 0.0  # seconds between two requests: pictures are off


def unheard(_: float, __: bool) -> None:
    """Do nothing."""


class Pictures:
    """Picture checks of one host, in the process of that name.

    engine ─ ask ─▷ Nonces (processes with users) ─ sent ─▷ PictureRequests (the process with HTTP) ─ told ─▷ engine
    """

    def __init__(
        self,
        process: str,
        settings: Settings,
        moderated: Callable[[], bool],
        on_picture: Callable[[str, str], None],
        on_interval: Callable[[float, bool], None] = unheard,
    ) -> None:
        """`moderated`: whether moderators read cases; `on_picture`: called with (nonce, result); `on_interval`: with (mean, on) when one
        of them changes.
        """
        chosen = settings.pictures
        self._cameras = are_pictures_possible(settings)
        self._chosen = chosen
        self._moderated = moderated
        self._news, self._wanted = asyncio.Event(), asyncio.Event()  # something changed; moderators read cases
        self._judging = PictureClient(process, chosen, settings.data, self._news.set)
        self._elsewhere = RemoteJudge(chosen, self._judging) if chosen.provider == "http" else None
        self.looks = PictureRequests(
            self._elsewhere or self._judging,
            int(chosen.memory),
            chosen.agree,
            chosen.differ,
            on_picture,
        )
        self._on_interval = on_interval
        self.people_are_asked = False  # as the page states; true from the moment in which new chats send pictures

    @property
    def on(self) -> bool:
        """Whether pictures can be checked now."""
        return self._judging.up and self._moderated()

    @property
    def mean(self) -> float:
        """Average seconds between two requests to a chat, as of now; or OFF."""
        if not (self.on and self._cameras):
            return OFF
        return self._chosen.mean * (2 if self._judging.waiting > CROWDED else 1)

    async def glance(self, still: bytes, frames: int) -> str:
        """Return the verdict on an unrequested picture of `frames` stacked frames, or "". It is never sent to a remote provider."""
        if self._chosen.mode != "on" or not self.on:
            return ""
        seen = await self._judging.glance(still, frames)
        return "" if seen is None else seen.verdict

    async def judge_sent(self, picture: bytes) -> Judged | None:
        """Return the verdict on a picture that a user sends the partner, or None. It is never sent to a remote provider."""
        return await self._judging.judge_sent(picture) if self.on else None

    def look_now(self) -> None:
        """Update at once: whether moderators read cases has changed."""
        self._news.set()

    def start(self, tasks: Tasks) -> None:
        """Start the tasks."""
        tasks.start("pictures", self._work)
        tasks.start("pictures-looked", self._look)

    async def _work(self) -> None:
        """Run the picture process until cancelled, from the moment moderators read cases: it takes 140 MB, which other servers need not spend."""
        await self._wanted.wait()
        await self._judging.run()

    async def _look(self) -> None:
        """Sweep, and publish changes of `mean`, until cancelled."""
        said: tuple[float, bool] | None = None
        while True:
            self._news.clear()
            self.looks.sweep(time.monotonic())
            if self._moderated():
                self._wanted.set()
            now = self.mean, self.on
            if now != said:
                said = now
                self._on_interval(*now)
                self.people_are_asked = now[0] > OFF
            await is_set_within(self._news, EVERY if self.looks.anything or self._judging.busy else SELDOM)

    async def close(self, tasks: Tasks) -> None:
        """Stop requests and the process."""
        for name in ("pictures-looked", "pictures"):
            await tasks.end(name)
        await self.looks.close()
        if self._elsewhere is not None:
            await self._elsewhere.stop()

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        wanted = {"serendip_pictures_wanted": int(self._moderated())}
        return {**self._judging.reading(), **self.looks.reading(), **wanted}
