"""Programs with a generated picture who call the windows: of the native protocol, and of Omegle's.

Rule: Playwright holds the loop of the test's thread, so robots live in a thread with a loop of their own.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from serendip_client import Client
from serendip_client.peer import Call, Peer, Picture, Tone

T = TypeVar("T")
R = TypeVar("R", "Native", "Omegle")
PATIENCE = 30.0  # seconds


class Robots:
    """The thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._here: list[Native | Omegle] = []

    def native(self, port: int) -> "Native":
        """A newcomer."""
        return self._came(self.do(_made(Native, port)))

    def omegle(self, port: int) -> "Omegle":
        """A newcomer."""
        return self._came(self.do(_made(Omegle, port)))

    def _came(self, robot: R) -> R:
        self._here.append(robot)
        return robot

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let it run."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it."""
        return self.begin(work).result(PATIENCE)

    def close(self) -> None:
        """Send everybody home, end the thread."""
        for robot in self._here:
            self.do(robot.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Native:
    """One person of the native protocol."""

    def __init__(self, port: int) -> None:
        self._client = Client(f"ws://127.0.0.1:{port}/ws")
        self.call: Call | None = None

    async def meet(self, topic: str, relay: bool) -> Call:
        """Find a partner and see their picture."""
        await self._client.start()
        self.call = await Peer(self._client).call(interests=(topic,), relay=relay, within=PATIENCE)
        await self.call.picture(PATIENCE)
        return self.call

    async def close(self) -> None:
        """Hang up and go."""
        if self.call is not None:
            await self.call.close()
            self.call = None
        await self._client.close()


class Omegle:
    """One person of Omegle's protocol: form posts, a held poll, one event a candidate, as its web client had them."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._http = aiohttp.ClientSession()
        self._connection = RTCPeerConnection()
        self._id = ""
        self.heard: list[list[Any]] = []  # events
        self.answers: list[str] = []  # to signals
        self.pictures = 0
        self.sounds = 0
        self.ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def post(self, path: str, *fields: tuple[str, str]) -> str:
        """The text of the answer."""
        async with self._http.post(self._url + path, data=list(fields)) as answer:
            return await answer.text()

    async def start(self, topic: str) -> None:
        """Look for somebody with a camera."""
        self._connection.on("track", self._arrived)
        self._connection.addTrack(Tone())
        self._connection.addTrack(Picture())
        asked = {
            "rcs": "1",
            "firstevents": "1",
            "randid": "ABCD2345",
            "lang": "en",
            "webrtc": "1",
            "topics": json.dumps([topic]),
        }
        async with self._http.post(self._url + "/start", params=asked) as answer:
            told = json.loads(await answer.text())
        self._id = told["clientID"]
        self._tasks.append(asyncio.create_task(self._poll(told["events"])))

    async def _poll(self, events: list[list[Any]] | None) -> None:
        while events is not None:
            for event in events:
                self.heard.append(event)
                await self._hear(*event)
            events = json.loads(await self.post("/events", ("id", self._id)))
        self.ended.set()

    async def _hear(self, name: str, told: Any = None, *_: Any) -> None:
        connection = self._connection
        if name == "rtccall":
            await connection.setLocalDescription(await connection.createOffer())
            await self._tell()
        elif name == "rtcpeerdescription":
            await connection.setRemoteDescription(RTCSessionDescription(told["sdp"], told["type"]))
            if told["type"] == "offer":
                await connection.setLocalDescription(await connection.createAnswer())
                await self._tell()
        elif name == "icecandidate" and told and told["candidate"]:
            candidate = candidate_from_sdp(told["candidate"].partition(":")[2])
            candidate.sdpMid, candidate.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
            await connection.addIceCandidate(candidate)
        elif name == "strangerDisconnected":
            self.ended.set()

    async def _tell(self) -> None:
        """The description without its candidates, then these, and that no more will come."""
        lines = self._connection.localDescription.sdp.splitlines(keepends=True)
        apart = [line.strip()[2:] for line in lines if line.startswith("a=candidate:")]
        sdp = "".join(line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates")))
        described = json.dumps({"type": self._connection.localDescription.type, "sdp": sdp})
        self.answers.append(await self.post("/rtcpeerdescription", ("id", self._id), ("desc", described)))
        found = [json.dumps({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}) for line in dict.fromkeys(apart)]
        told = [("candidate", one) for one in [*found, "null"]]
        self.answers.append(await self.post("/icecandidate", ("id", self._id), *told))

    def _arrived(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._count(track)))

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            if track.kind == "video":
                self.pictures += 1
            else:
                self.sounds += 1

    async def close(self) -> None:
        """Hang up and go."""
        if self._http.closed:
            return
        await self.post("/disconnect", ("id", self._id))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()
        await self._http.close()


async def _made(kind: Callable[[int], R], port: int) -> R:
    """One that belongs to the loop."""
    return kind(port)
