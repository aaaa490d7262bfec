"""Fetch the pictures of a video chat from the host that ran the chat, for a report that is made at another host. A host keeps such pictures in
memory for some minutes; fetched ones are stored only with the report's case.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Final

import orjson

from server.fleet.rpc.rpc_client import HostAway, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops import log
from server.ops.health.background_tasks import cancel_all
from server.trust.evidence.reported_picture import Adds, Picture, bounded
from server.trust.moderation_protocol import PicturesOfChats

WITHIN: Final = 5.0  # seconds for an answer
PACKED_MOST: Final = (
    700 * 1024
)  # bytes of pictures in an answer, the newest; base64 makes a third more of them, and 1 MiB is the most
MOST: Final = 16  # hosts that are asked
AT_ONCE: Final = 32  # reports whose pictures are requested; of more, a case has those of its own host only
FIELDS: Final = [str, int, int, str, str]  # of a picture in an answer
logger = log.get()


class RemotePictures:
    """Pictures of all hosts; a `PicturesOfChats` over that of this host. `addresses`: the cluster ports of other hosts. Make it in the loop."""

    def __init__(self, here: PicturesOfChats, asker: RpcClient, addresses: Callable[[], Sequence[str]]) -> None:
        self._here = here
        self._asker = asker
        self._addresses = addresses
        self._tasks: set[asyncio.Task[None]] = set()

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """Return what this host has; see `PicturesOfChats`."""
        return self._here.shown(chat, side)

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Follow a report; see `PicturesOfChats`. If this host has nothing, the others are asked."""
        self._here.follow(chat, side, had, adds)
        if not had and len(self._tasks) < AT_ONCE:
            task = asyncio.get_running_loop().create_task(self._ask(chat, side, adds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, chat: str, side: int, adds: Adds) -> None:
        body = orjson.dumps([chat, side])
        for address in self._addresses()[:MOST]:
            try:
                found = unpacked(await self._asker.ask(address, Kind.LOOKS, body, within=WITHIN))
                if found:
                    await adds(found)
                    return  # one host has the pictures of a chat
            except (HostAway, ValueError):
                continue
            except Exception as fault:  # noqa: BLE001 - of the store, whatever it is: the case exists without them
                logger.error("pictures.fault", **log.described(fault))
                return

    async def answer(self, request: Request) -> Answer:
        """Answer LOOKS: send what this host has of a side's camera."""
        try:
            chat, side = orjson.loads(request.body)
        except (ValueError, TypeError):
            return no("a chat and a side are wanted")
        if not isinstance(chat, str) or side not in (0, 1):
            return no("a chat and a side are wanted")
        return Answer(Status.TAKEN, packed(self._here.shown(chat, side)))

    async def close(self) -> None:
        """Stop asking."""
        await cancel_all(self._tasks)


def packed(pictures: Sequence[Picture]) -> bytes:
    """Return pictures as they are sent: the newest that a case may hold, within PACKED_MOST."""
    left, rows = PACKED_MOST, []
    for one in reversed(bounded(pictures)):
        left -= len(one.body)
        if left < 0:
            break
        rows.append([one.kind, one.side, one.at, base64.b64encode(one.body).decode(), one.listed])
    return orjson.dumps(rows[::-1])


def unpacked(data: bytes) -> tuple[Picture, ...]:
    """Parse pictures of another host. Raises ValueError."""
    rows = orjson.loads(data)
    if type(rows) is not list:
        raise ValueError("no pictures")
    return bounded([_picture(row) for row in rows])


def _picture(row: object) -> Picture:
    if type(row) is not list or [type(value) for value in row] != FIELDS:
        raise ValueError("no picture")
    kind, side, at, body, listed = row
    return Picture(kind, side, at, base64.b64decode(body, validate=True), listed)
