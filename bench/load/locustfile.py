"""Simulate users for Locust: the native protocol, Omegle's protocol, readers of pages.

    locust -f bench/load/locustfile.py --headless -u 200 -r 20 -t 60s --host http://127.0.0.1:8080 --html report.html --processes 2
    SHAPE=rush locust …     (steady, rush, storm: the arrivals of a run of -t seconds, about -u users and -r a second)

Arrivals are open-loop (Locust spawns by its schedule, whatever the server does). Time to match, waits of those who gave up, transit time of a
message, lost and doubled messages are entries of Locust's statistics: `find`, `gave up`, `hop`, `lost`, `doubled` (the last two stay at 0). Locust
saturates at a few thousand messages a second per core, far below the server: for limits use bench/load/load.c.
"""

import json
import os
import time
from typing import Any

import gevent
import websocket
from locust import HttpUser, LoadTestShape, User, between, constant, events, task

from bench.load.user_model import Taste, shape

RECEIVE = 5.0  # seconds of a read before the user looks at the clock
KIND = "serendip.v1"


@events.test_start.add_listener
def show_noughts(environment: Any, **_: Any) -> None:
    """Show lost and doubled messages also if there were none."""
    for name in ("lost", "doubled"):
        environment.stats.get(name, KIND)


def fire(user: User, name: str, milliseconds: float, size: int = 0, fault: str | None = None) -> None:
    """Add an entry to the statistics."""
    user.environment.events.request.fire(
        request_type=KIND, name=name, response_time=milliseconds, response_length=size,
        exception=RuntimeError(fault) if fault else None, context={},
    )  # fmt: skip


class Hearing:
    """Checks the numbered lines of one partner: `SECONDS NUMBER WORDS`."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._expected = 0

    def line(self, text: str) -> None:
        """Record the transit time, and whether a line is missing or doubled."""
        sent, number = text.split(" ", 2)[:2]
        fire(self._user, "hop", (time.time() - float(sent)) * 1e3, len(text))
        if int(number) != self._expected:
            name = "lost" if int(number) > self._expected else "doubled"
            fire(self._user, name, 0, 0, f"line {number} instead of {self._expected}")
        self._expected = max(self._expected, int(number) + 1)


class Person(User):
    """User who connects, searches, chats with pauses, skips, leaves, or loses the connection."""

    weight = 8
    wait_time = between(0.5, 3)
    seeds = iter(range(1, 1 << 30))

    def on_start(self) -> None:
        """Connect."""
        self.taste = Taste(next(self.seeds))
        self.socket: websocket.WebSocket | None = None
        self.token = ""
        self.pending: list[dict[str, Any]] = []

    def on_stop(self) -> None:
        """Close as a user who leaves."""
        if self.socket is not None:
            self.socket.close()

    @task
    def meet(self) -> None:
        """Run one search and its chat."""
        self._connect()
        start = time.perf_counter()
        self._send(type="find", interests=self.taste.interests(), language=self.taste.language())
        matched = self._await("matched", start + self.taste.patience())
        if matched is None:
            self._told("gave up", start)
            self._send(type="leave")
            return
        self._told("find", start)
        self.chat, self.seq, self.hearing = matched["chat"], 0, Hearing(self)
        self._chat()
        if self.taste.chance(0.05):
            self._lose()
        else:
            self._send(type="leave")

    def _chat(self) -> None:
        for number in range(self.taste.lines()):
            if not self._listen(self.taste.pause()):
                return
            self._send(type="message", text=f"{time.time():.6f} {number} {self.taste.line()}")
        self._listen(self.taste.pause())

    def _listen(self, seconds: float) -> bool:
        """Read the partner's frames for a while; False if they left."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and self.socket is not None:
            frame = self._receive(left)
            if frame is not None and frame["type"] == "left":
                return False
            if frame is not None and frame["type"] == "message":
                self.seq = frame["seq"]
                self.hearing.line(frame["text"])
        return self.socket is not None

    def _lose(self) -> None:
        """Drop the connection, come back with the token, and read what was missed."""
        token, self.token = self.token, ""
        if self.socket is not None:
            self.socket.shutdown()
            self.socket = None
        gevent.sleep(1.0)
        self._connect()
        start = time.perf_counter()
        self._send(type="resume", token=token, last=self.seq, chat=self.chat)
        self._told("resume", start, None if self._await("resumed", start + 5) else "no answer")
        self._listen(self.taste.pause())
        self._send(type="leave")

    def _connect(self) -> None:
        if self.socket is not None:
            return
        start = time.perf_counter()
        try:
            self.socket = websocket.create_connection(self.host.replace("http", "ws", 1) + "/ws", timeout=RECEIVE)
            hello = self._await("hello", start + 10)
            self.token = hello["token"] if hello else ""
            self._told("connect", start)
        except (OSError, websocket.WebSocketException) as error:
            self._told("connect", start, type(error).__name__)
            self.socket = None
            raise

    def _send(self, **frame: Any) -> None:
        if self.socket is not None:
            try:
                self.socket.send(json.dumps(frame, separators=(",", ":")))
            except (OSError, websocket.WebSocketException):
                self.socket = None

    def _receive(self, patience: float) -> dict[str, Any] | None:
        if self.socket is None:
            return None
        self.socket.settimeout(patience)
        try:
            text = self.socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException):
            self.socket = None
            return None
        return json.loads(text) if text else None

    def _await(self, kind: str, until: float) -> dict[str, Any] | None:
        while time.perf_counter() < until and self.socket is not None:
            frame = self._receive(min(RECEIVE, max(0.01, until - time.perf_counter())))
            if frame is not None and frame["type"] == kind:
                return frame
        return None

    def _told(self, name: str, start: float, fault: str | None = None) -> None:
        fire(self, name, (time.perf_counter() - start) * 1e3, 0, fault)


class Poller(HttpUser):
    """Client of Omegle's protocol: start, events, a line, disconnect."""

    weight = 1
    wait_time = between(1, 4)
    seeds = iter(range(1 << 30, 1 << 31))

    def on_start(self) -> None:
        """Choose interests."""
        self.taste = Taste(next(self.seeds))

    @task
    def meet(self) -> None:
        """Run one chat over long polls."""
        topics = json.dumps(self.taste.interests()[:3])
        with self.client.post(
            "/start", params={"rcs": 1, "lang": "en", "topics": topics}, name="/start", catch_response=True
        ) as answer:
            if answer.status_code != 200:
                return
            found = answer.json()
        client = found["clientID"] if isinstance(found, dict) else found
        said, hearing = 0, Hearing(self)
        end = time.perf_counter() + self.taste.patience()
        while time.perf_counter() < end:
            events = self.client.post("/events", data={"id": client}, name="/events").json() or []
            if any(event[0] == "connected" for event in events):
                self.client.post(
                    "/send", data={"id": client, "msg": f"{time.time():.6f} {said} {self.taste.line()}"}, name="/send"
                )
                said += 1
            for event in events:
                if event[0] == "gotMessage":
                    hearing.line(event[1])
            if any(event[0] == "strangerDisconnected" for event in events):
                break
        self.client.post("/disconnect", data={"id": client}, name="/disconnect")


class Reader(HttpUser):
    """Reader of the pages."""

    weight = 1
    wait_time = constant(2)

    @task
    def look(self) -> None:
        """Load the home page and its numbers."""
        self.client.get("/")
        self.client.get("/api/status")
        self.client.get("/api/config")


if os.environ.get("SHAPE"):

    class Schedule(LoadTestShape):
        """Arrivals by one of the shapes of bench.load.user_model."""

        use_common_options = True  # -u, -r and -t say how many, how fast, how long

        def tick(self) -> tuple[int, float] | None:
            """Users and arrivals a second, now."""
            options = self.runner.environment.parsed_options
            part = self.get_run_time() / (options.run_time or 300)
            return shape(os.environ["SHAPE"], part, options.num_users or 100, options.spawn_rate or 10)
