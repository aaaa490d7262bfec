"""Join video chats as a WebRTC peer: send a generated picture and tone, and count what arrives.

A `Peer` serves one user, a `Call` is the WebRTC connection of one chat and ends with the chat. Needs the extra `video` (aiortc). Times are
monotonic seconds.
"""

# aiortc gathers all candidates before it answers, so descriptions contain them; candidates in signals of their own are accepted too.

import asyncio
import fractions
import math
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

from serendip_client.client import Client
from serendip_client.events import Closed, Error, Left, Matched, Signal
from serendip_client.stills import Stills

WIDTH: Final = 160  # pixels: enough to see motion, cheap to encode
HEIGHT: Final = 120
RATE: Final = 48_000  # samples per second
SAMPLES: Final = 960  # per audio frame: 20 ms
TONE: Final = 440.0  # hertz


class CallError(Exception):
    """Raised if a call cannot be made; the text says which step failed."""


class Picture(VideoStreamTrack):
    """A bar that moves over grey: every frame differs from the last. `told` is called with each one sent."""

    def __init__(self, told: Callable[[VideoFrame], None] | None = None) -> None:
        super().__init__()
        self._number = 0
        self._told = told

    async def recv(self) -> VideoFrame:
        """Return the next frame, 30 per second."""
        pts, base = await self.next_timestamp()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma, *chroma = frame.planes
        at = self._number * 4 % (WIDTH - 16)
        self._number += 1
        row = bytes([96]) * at + bytes([224]) * 16 + bytes([96]) * (luma.line_size - at - 16)
        luma.update(row * HEIGHT)
        for plane in chroma:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, base
        if self._told is not None:
            self._told(frame)
        return frame


class Tone(AudioStreamTrack):
    """A quiet tone of 440 Hz."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._began = 0.0

    async def recv(self) -> AudioFrame:
        """Return the next 20 ms."""
        if self.readyState != "live":
            raise MediaStreamError
        self._began = self._began or time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._at / RATE - time.monotonic()))
        turn = 2 * math.pi * TONE / RATE
        wave = [round(3_000 * math.sin(turn * (self._at + step))) for step in range(SAMPLES)]
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(struct.pack(f"<{SAMPLES}h", *wave))
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, fractions.Fraction(1, RATE)
        self._at += SAMPLES
        return frame


@dataclass(slots=True)
class Counts:
    """Frames that one call received, and when (0.0: none yet)."""

    matched: float
    connected: float = 0.0
    first_frame: float = 0.0
    last_frame: float = 0.0
    pictures: int = 0
    sounds: int = 0

    @property
    def rate(self) -> float:
        """Return the pictures per second since the first."""
        spent = self.last_frame - self.first_frame
        return (self.pictures - 1) / spent if spent > 0 else 0.0


@dataclass(slots=True)
class Call:
    """WebRTC connection of one chat."""

    chat: Matched
    connection: RTCPeerConnection
    counts: Counts
    seen: asyncio.Event = field(default_factory=asyncio.Event)  # a first frame arrived
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    heard: list[Mapping[str, Any]] = field(default_factory=list)  # signals from the partner
    stills: Stills | None = None  # source of the pictures for safety

    @property
    def hidden(self) -> bool:
        """Whether only relays may be used."""
        return only_relays(self.chat.ice)

    async def picture(self, within: float) -> Counts:
        """Wait for the first frame. Raises CallError, which names the step that was not reached."""
        try:
            async with asyncio.timeout(within):
                await self.seen.wait()
        except TimeoutError:
            steps = f"ICE {self.connection.iceConnectionState}, connection {self.connection.connectionState}"
            raise CallError(f"no picture within {within:g} s ({steps})") from None
        return self.counts

    async def close(self) -> None:
        """Hang up; the client leaves the chat itself."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.connection.close()
        if self.stills is not None:
            self.stills.forget()


def only_relays(servers: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether the list has TURN servers only, which means that one side hides its address (protocol.md, `matched`)."""
    urls = [url for server in servers for url in server["urls"]]
    return bool(urls) and all(url.startswith(("turn:", "turns:")) for url in urls)


class Peer:
    """A user with a generated camera. `media` False: signals and ICE alone, without tracks.

    `stills`: receives the frames, so that it can answer requests for pictures; pass it to the client as `pictures` too. Without it the
    answer is `camera`.
    """

    def __init__(self, client: Client, *, media: bool = True, stills: Stills | None = None) -> None:
        self.client = client
        self._media = media
        self._stills = stills

    async def call(self, *, interests: tuple[str, ...] = (), relay: bool = False, within: float = 15.0) -> Call:
        """Find a partner and begin the call. Raises CallError."""
        await self.client.find(interests, mode="video", relay=relay)
        try:
            async with asyncio.timeout(within):
                event = await self.client.next(Matched, Error, Closed)
        except (TimeoutError, ConnectionError):
            raise CallError(f"no partner within {within:g} s") from None
        if not isinstance(event, Matched):
            raise CallError(f"the search was refused: {event}")
        return await self.take(event, relay)

    async def take(self, chat: Matched, relay: bool = False) -> Call:
        """Begin the call of a chat."""
        hidden = relay or only_relays(chat.ice)
        servers = [RTCIceServer(list(one["urls"]), one.get("username"), one.get("credential")) for one in chat.ice]
        policy = RTCIceTransportPolicy.RELAY if hidden else RTCIceTransportPolicy.ALL
        connection = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy))
        call = Call(chat, connection, Counts(time.monotonic()), stills=self._stills)

        @connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            self._spawn(call, self._count(call, track))

        @connection.on("connectionstatechange")
        def changed() -> None:
            if connection.connectionState == "connected" and not call.counts.connected:
                call.counts.connected = time.monotonic()

        if self._media:
            connection.addTrack(Tone())
            connection.addTrack(Picture(self._stills.mine if self._stills is not None else None))
        self._spawn(call, self._listen(call))
        if chat.offer:
            if not self._media:
                connection.createDataChannel("silent")
            await connection.setLocalDescription(await connection.createOffer())
            await self._describe(connection)
        return call

    async def _describe(self, connection: RTCPeerConnection) -> None:
        described = connection.localDescription
        await self.client.signal(description={"type": described.type, "sdp": described.sdp})

    async def _listen(self, call: Call) -> None:
        async for event in self.client:
            if isinstance(event, Signal):
                call.heard.append(event.body)
                await self._hear(call.connection, event.body)
            elif isinstance(event, Left | Closed):
                return

    async def _hear(self, connection: RTCPeerConnection, body: Mapping[str, Any]) -> None:
        if "description" in body:
            told = body["description"]
            if told["type"] == "offer" and connection.signalingState == "have-local-offer":
                return  # both offered: this side made its offer first, the other one yields
            await connection.setRemoteDescription(RTCSessionDescription(told["sdp"], told["type"]))
            if told["type"] == "offer":
                await connection.setLocalDescription(await connection.createAnswer())
                await self._describe(connection)
        elif (told := body.get("candidate")) and told["candidate"]:
            candidate = candidate_from_sdp(told["candidate"].partition(":")[2])
            candidate.sdpMid, candidate.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
            await connection.addIceCandidate(candidate)

    async def _count(self, call: Call, track: MediaStreamTrack) -> None:
        counts = call.counts
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "audio":
                    counts.sounds += 1
                    continue
                if call.stills is not None and isinstance(frame, VideoFrame):
                    call.stills.theirs(frame)
                counts.last_frame = time.monotonic()
                counts.pictures += 1
                if counts.pictures == 1:
                    counts.first_frame = counts.last_frame
                    call.seen.set()

    def _spawn(self, call: Call, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        call.tasks.add(task)
        task.add_done_callback(call.tasks.discard)
