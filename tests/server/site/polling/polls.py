"""A client of `/api/poll` that sends its requests one by one."""

import itertools
import json
from typing import Any

import aiohttp


class Polls:
    """A client of the bare requests, which go to the server at `url`, or in turn to several."""

    def __init__(self, http: aiohttp.ClientSession, *urls: str) -> None:
        self.http = http
        self._turn = itertools.cycle([f"{url}api/poll" for url in urls])
        self.id = ""
        self.after = self.number = 0

    def path(self) -> str:
        """The address of the next request."""
        return f"{next(self._turn)}/{self.id}"

    async def open(self, **headers: str) -> tuple[int, str]:
        async with self.http.post(next(self._turn), headers=headers) as answer:
            text = await answer.text()
            if answer.status == 200:
                self.id = json.loads(text)["id"]
            return answer.status, text

    async def send(self, *frames: dict[str, Any], again: bool = False) -> int:
        self.number += not again
        sent = "\n".join(map(json.dumps, frames))
        async with self.http.post(f"{self.path()}?number={self.number}", data=sent) as answer:
            return answer.status

    async def poll(self, *, confirm: bool = True) -> dict[str, Any]:
        async with self.http.get(f"{self.path()}?after={self.after}") as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
            told: dict[str, Any] = await answer.json()
        if confirm:
            self.after = told["number"]
        return told

    async def until(self, type: str) -> dict[str, Any]:
        while True:
            for frame in (await self.poll())["frames"]:
                if frame["type"] == type:
                    return dict(frame)
