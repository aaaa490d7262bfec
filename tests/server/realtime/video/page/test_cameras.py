"""Browsers with cameras of their own, a server, and the program with its model: what a camera shows, through capture, call and look.

Each camera is a file that Chromium plays, so each is a browser of its own, which all tests share; a person is a window of it. Whoever harms does it
by the page's own requests: they are held back, or carry another picture; or by requests of their own, from the page.

**Rule:** nothing here is by chance or by speed. Looks follow each other at fixed times until there is what a test waits for (QUICK); a slow machine
only makes that later, and nothing that a test rules out can come of it. The times of the service are the engine's tests.
"""

import base64
import json
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, WebSocket, expect

from engine.conduct.camera_verdicts import VERDICTS
from engine.conduct.detection_consequences import LIMITS
from tests.server.realtime.video.metrics import scrape
from tests.server.realtime.video.page.conftest import begin, moving, prepare
from tests.server.site.web.conftest import ARGUMENTS, CHROMIUM, PERSON, Watch
from tests.server.site.web.servers import ROOT, Server
from tests.support import scenes
from tests.support.forkserver import START
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(600)  # a model looks, several times, beside whatever else the machine does
ON = {
    "SERENDIP_SAFETY__MODERATED": "true",
    "SERENDIP_PICTURES__MEAN": "20",
    "SERENDIP_STORE__ENABLED": "true",
    "SERENDIP_METRICS__ENABLED": "true",
    "SERENDIP_METRICS__PORT": "0",
}
# The engine waits five seconds for pictures; whoever takes them has thirty, and what comes meanwhile is judged and counts. Two hits are two looks
# that follow each other. The program that judges has as much of a core as all others, and however slow it is, it is there.
QUICK = """
import engine.wire.protocol
from engine.wire import rule_constants
rule_constants.LOOK_LEAST, rule_constants.LOOK_SPREAD, rule_constants.LOOK_CLOSE, rule_constants.CLOSE_POINTS = 2.0, 0.0, 2.0, 0
rule_constants.SIGHT_FOR, rule_constants.NONCES_KEPT = 600.0, 200
engine.wire.protocol.SNAP_WITHIN = 3
import engine.chats.camera_checks
engine.wire.server_frames.SNAP_WITHIN = 30
from engine.conduct import camera_verdicts
camera_verdicts.HITS_APART = 2.0
from server.trust.pictures import picture_client, requested_pictures
requested_pictures.WITHIN = 60.0
picture_client.FRESH = picture_client.STUCK = picture_client.STARVED = picture_client.STARTING = 600.0
from server.trust.programs import helper_process
helper_process.BEHIND = 0
"""
LENIENT = "camera_verdicts.MISSES = 1_000_000\n"  # missed looks end no video: a window may be slow
ALONE = "camera_verdicts.HITS_APART = float('inf')\n"  # and no two hits of one chat confirm each other
NUDITY = "This may be nudity."
PATIENT = 300_000  # ms: a bound, not a measure
Camera = Callable[[str], Page]
Found = TypeVar("Found")


def film(path: Path, picture: Any) -> Path:
    """A camera's picture, 640 by 480, that moves a little, five times a second: each picture is drawn, sent, read and drawn again by a core."""
    frames = [b"YUV4MPEG2 W640 H480 F5:1 Ip A1:1 C420\n"]
    for step in range(8):
        frame = picture.copy()
        frame.paste((step * 30, 90, 200 - step * 20), (620, 460 - 4 * step, 636, 476 - 4 * step))
        light, *colours = frame.convert("YCbCr").split()  # of the full range, where a film's is narrower
        small = [one.resize((320, 240)).point(lambda value: 16 + value * 224 // 255) for one in colours]
        frames += [b"FRAME\n", light.point(lambda value: 16 + value * 219 // 255).tobytes()]
        frames += [one.tobytes() for one in small]
    path.write_bytes(b"".join(frames))
    return path


@pytest.fixture(scope="module")
def cameras(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Browser]]:
    """The browser whose camera shows that film; it stays until the end of the module."""
    folder, size = tmp_path_factory.mktemp("films"), (640, 480)
    shows = {"harmless": scenes.scene(0, size), "other": scenes.scene(4, size), "blobs": scenes.blobs(size)}
    there: dict[str, Browser] = {}

    def of(name: str) -> Browser:
        if name not in there:
            path = film(folder / f"{name}.y4m", shows[name])
            arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={path}"]
            there[name] = browser.browser_type.launch(executable_path=CHROMIUM, args=arguments)
        return there[name]

    yield of
    for one in there.values():
        one.close()


class Looking(Server):
    """A server that checks pictures. `folder`: its data."""

    def __init__(self, folder: Path, first: str) -> None:
        self.folder = folder
        super().__init__(folder, first, **ON)

    def ready(self) -> None:
        """Wait until it counts and looks."""
        ready = until(lambda: re.search(r"{.*metrics[.]ready.*}", self.before + self.said), "it has no metrics")
        self._metrics: int = json.loads(ready[0])["port"]
        until(lambda: self._says().get("pictures"), "pictures are not looked at")

    def _says(self) -> dict[str, Any]:
        """What a page is told of it."""
        with urllib.request.urlopen(f"{self.url}api/config") as answer:  # noqa: S310 - our own
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def looks(self) -> Counter[str]:
        """How many pictures of strangers came and what was seen of them, by name."""
        named = {of[1]: count for of, count in scrape(self._metrics).items() if of[0] == "serendip_snaps_total"}
        return Counter({name: int(count) for name, count in named.items()})


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Callable[[str], Looking]]:
    """Start a server that keeps that rule; it is of this test alone, so whatever is in its store is of this test."""
    servers: list[Looking] = []

    def started(rule: str) -> Looking:
        servers.append(Looking(tmp_path, QUICK + rule))
        servers[-1].ready()
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def looked(looking: Callable[[str], Looking]) -> Looking:
    """The one of a test that wants no other."""
    return looking(LENIENT)


@pytest.fixture
def camera(cameras: Callable[[str], Browser], watch: Watch, looking: Callable[[str], Looking]) -> Iterator[Camera]:
    """Opens a window whose camera shows that film. It is closed before its server ends (`looking`), of which it would complain."""
    contexts: list[BrowserContext] = []

    def opened(film: str) -> Page:
        def window(**more: Any) -> Page:
            more = {**PERSON, **more}
            context = cameras(film).new_context(viewport={"width": 1280, "height": 800}, **more)
            contexts.append(context)
            context.set_default_timeout(PATIENT)
            watch.over(context)
            return context.new_page()

        return prepare(window, lifts=True)

    yield opened
    for context in contexts:
        context.close()


def until(true: Callable[[], Found | None], what: str, page: Page | None = None) -> Found:
    """Wait until there is something, and return it. `page`: its window is heard meanwhile."""
    end = time.monotonic() + PATIENT / 1000
    while not (found := true()):
        assert time.monotonic() < end, what
        if page is None:
            time.sleep(0.1)  # another process has no event
        else:
            page.wait_for_timeout(100)
    return found


def call(
    camera: Camera, server: Looking, one: str, two: str, topic: str, hands: Callable[[Page, Page], None]
) -> tuple[Page, Page]:
    """Two in a call; `hands`: what is done to their requests before."""
    pages = camera(one), camera(two)
    hands(*pages)
    for page in pages:
        begin(page, server.url, topic)
    for page in pages:
        moving(page)
    return pages


def cases(server: Looking) -> dict[str, tuple[str, set[str]]]:
    """The cases in its store: queue and reasons, by id."""
    path = server.folder / "serendip.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute('SELECT hex(id), queue, reasons FROM "case"').fetchall()
    return {ident: (queue, set(reasons.split(","))) for ident, queue, reasons in rows}


def listed(server: Looking) -> list[dict[str, Any]]:
    """The open cases, as an operator lists them."""
    data = str(server.folder)
    command = [sys.executable, "-c", START, "safety", "cases", "--json", "--data", data]
    found: list[dict[str, Any]] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return found


def kept(server: Looking) -> set[Path]:
    """Pictures in its store."""
    return set((server.folder / "objects").glob("snaps/**/*"))


def counted_chats(server: Looking, ident: str) -> list[int]:
    """Return for each chat of a case the number of chats of the day that it says, as an operator reads it."""
    data = str(server.folder)
    command = [sys.executable, "-c", START, "safety", "show", ident.lower(), "--why", "test", "--json", "--data", data]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return [1 + len(text["counted"]["earlier"]) for text in found["texts"]]


def case(page: Page, server: Looking, reason: str) -> str:
    """Wait for one of that reason; its queue."""

    def there() -> str:
        return next((queue for queue, reasons in cases(server).values() if reason in reasons), "")

    return until(there, f"no case of {reason}", page)


def as_it_is(_: Page, __: Page) -> None:
    """Nobody harms."""


def nobody_is_kept_out(page: Page, server: Looking, topic: str) -> None:
    """They may look for another video chat."""
    page.reload()
    expect(page.locator("body")).not_to_contain_text("banned")
    begin(page, server.url, topic)
    expect(page.locator("h1")).to_contain_text("Looking")


def test_what_looks_like_nudity_is_veiled_and_seen_twice_a_person_looks_and_nobody_is_banned(
    camera: Camera, looked: Looking
) -> None:
    anna, ben = call(camera, looked, "harmless", "blobs", "veiled", as_it_is)
    gate = anna.locator(".gate")
    expect(gate).to_contain_text(NUDITY, timeout=PATIENT)
    picture(anna, "video/cameras-veil")
    expect(ben.locator("body")).not_to_contain_text(NUDITY)
    assert case(anna, looked, "nudity") == "machine"
    assert [one["queue"] for one in listed(looked) if "nudity" in one["reasons"]] == ["machine"]
    gate.get_by_role("button", name="Next person").click()
    expect(ben.locator("h1, .ended")).not_to_have_count(0)
    nobody_is_kept_out(ben, looked, "nobody is kept out")


def test_three_partners_who_press_next_at_the_blur_make_a_case(
    camera: Camera, looking: Callable[[str], Looking]
) -> None:
    topic, server = "three of them", looking(LENIENT + ALONE)
    ben = camera("blobs")
    begin(ben, server.url, topic)
    for number in range(LIMITS["nudity"].case):
        assert not cases(server), f"a case after {number} chats"
        anna = camera("harmless")
        begin(anna, server.url, topic)
        expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
        anna.locator(".gate").get_by_role("button", name="Next person").click()
        ben.get_by_role("button", name="Meet someone new").click()
        anna.context.close()
    assert case(ben, server, "nudity") == "machine"
    (new,) = cases(server)
    assert counted_chats(server, new) == [LIMITS["nudity"].case], "its moderator reads which chats brought it"
    expect(ben.locator("h1")).to_contain_text("Looking")  # nothing follows for them before a person has looked


def test_harmless_cameras_are_looked_at_and_nothing_of_them_is_kept(camera: Camera, looked: Looking) -> None:
    posts: list[int] = []

    def hands(one: Page, two: Page) -> None:
        for page in (one, two):
            page.on("response", lambda answer: "/api/snap/" in answer.url and posts.append(answer.status))

    anna, ben = call(camera, looked, "harmless", "other", "harmless", hands)
    until(lambda: len(posts) >= 4, "no look", anna)
    until(lambda: sum(looked.looks()[verdict] for verdict in VERDICTS) >= 2, "nothing was judged", anna)
    assert posts == [204] * len(posts)
    for page in (anna, ben):
        expect(page.locator("body")).not_to_contain_text(NUDITY)
    assert not looked.looks()["hit"]
    assert not cases(looked)
    assert not kept(looked)


# Whoever lies, which picture, and what of it a person sees. The strip is spliced of the scene that both cameras agree on and of another one.
LIES = {
    "the sender": ("blobs", "mine", scenes.jpeg(scenes.scene(2)), "differs"),
    "the receiver": ("other", "theirs", scenes.jpeg(scenes.strip(scenes.blobs())), "differs"),
    "the receiver, spliced": (
        "other",
        "theirs",
        scenes.jpeg(scenes.strip(scenes.scene(4), scenes.blobs(), scenes.blobs())),
        "nudity",
    ),
}


@pytest.mark.parametrize("who", LIES)
def test_a_forged_picture_brings_a_person_and_a_veil_and_no_measure(camera: Camera, looked: Looking, who: str) -> None:
    film, kind, body, reason = LIES[who]

    def hands(anna: Page, ben: Page) -> None:
        liar = ben if kind == "mine" else anna
        liar.route(f"**/api/snap/*/{kind}", lambda route: forged(route, body))

    anna, ben = call(camera, looked, "harmless", film, who.replace(",", ""), hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    assert case(anna, looked, reason) == "machine"
    expect(ben.locator("body")).not_to_contain_text(NUDITY)
    for page in (anna, ben):
        expect(page.locator("body")).not_to_contain_text("Video ended")
    anna.locator(".gate").get_by_role("button", name="Next person").click()
    expect(anna.locator("h1")).to_contain_text("Looking")
    expect(ben.locator("h1, .ended")).not_to_have_count(0)
    nobody_is_kept_out(ben, looked, "nobody is kept out either")


def test_who_withholds_their_own_picture_is_confirmed_by_the_other_one(camera: Camera, looked: Looking) -> None:
    def hands(_: Page, ben: Page) -> None:
        ben.route("**/api/snap/*/mine", lambda route: route.fulfill(status=204))

    anna, ben = call(camera, looked, "other", "blobs", "withheld", hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    assert case(anna, looked, "nudity") == "machine"
    expect(ben.get_by_role("button", name="Leave")).to_be_visible()  # whatever follows of it, they are in their chat


def test_whoever_gives_no_picture_of_the_stranger_has_no_video_for_a_while_and_the_text_goes_on(
    camera: Camera, looking: Callable[[str], Looking]
) -> None:
    def hands(_: Page, ben: Page) -> None:
        for kind in ("theirs", "mine"):
            ben.route(f"**/api/snap/*/{kind}", lambda route: route.fulfill(status=204))

    anna, ben = call(camera, looking(""), "harmless", "other", "unseen", hands)
    for page in (anna, ben):
        expect(page.locator("body")).to_contain_text("Video ended", timeout=PATIENT)
    anna.fill("#message", "still here?")
    anna.press("#message", "Enter")
    expect(ben.locator(".line").last).to_contain_text("still here?")
    picture(anna, "video/cameras-unchecked")
    ben.locator(".next:visible").click()
    expect(ben.locator("#novideo")).to_contain_text("Video is off for you until")
    picture(ben, "video/cameras-refused")


CANARY = b"canary of a hostile picture"
POST = """async ([path, body, type]) => {
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const headers = {"Content-Type": type, "X-Hostile": "1"};
  return (await fetch(path, {method: "POST", body: bytes, headers})).status;
}"""


class Hostile:
    """A window whose user posts by hand: it knows by which nonces it is asked, and holds back what is to be posted in its place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.nonces: list[str] = []  # by look
        self.holds: list[tuple[str, ...]] = []  # by look: which of theirs and mine the page does not send
        self.taken: set[tuple[str, str]] = set()  # what the page sent: nonce and kind
        page.on("websocket", self._listen)
        page.on("response", self._answered)
        page.route("**/api/snap/*/*", self._route)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, payload: str | bytes) -> None:
        if (frame := json.loads(payload)).get("type") == "snap":
            self.nonces.append(frame["nonce"])

    def _route(self, route: Route) -> None:
        nonce, kind = route.request.url.split("/")[-2:]
        look = self.nonces.index(nonce) if nonce in self.nonces else -1
        if "x-hostile" not in route.request.headers and 0 <= look < len(self.holds) and kind in self.holds[look]:
            route.fulfill(status=204)
        else:
            route.continue_()

    def _answered(self, answer: Response) -> None:
        if "/api/snap/" in answer.url and answer.status == 204 and "x-hostile" not in answer.request.headers:
            nonce, kind = answer.url.split("/")[-2:]
            self.taken.add((nonce, kind))

    def asked(self, look: int) -> str:
        """Wait until it is asked so often; by which nonce."""
        return until(lambda: self.nonces[look] if len(self.nonces) > look else "", "it was not asked", self.page)

    def gave(self, kind: str, look: int) -> str:
        """Wait until the page sent one of that kind, in that look or a later one; by which nonce."""

        def sent() -> str:
            return next((nonce for nonce in self.nonces[look:] if (nonce, kind) in self.taken), "")

        return until(sent, "it sent none", self.page)

    def post(self, nonce: str, kind: str, body: bytes, media: str = "image/jpeg") -> int:
        """The status."""
        sent = [f"/api/snap/{nonce}/{kind}", base64.b64encode(body).decode(), media]
        return int(self.page.evaluate(POST, sent))


def as_png(picture: Any) -> bytes:
    made = BytesIO()
    picture.save(made, "PNG")
    return made.getvalue() + CANARY


def says(body: bytes, width: int, height: int) -> bytes:
    """The same picture, whose head says another size."""
    at = body.index(b"\xff\xc0") + 5
    return body[:at] + height.to_bytes(2) + width.to_bytes(2) + body[at + 4 :]


STRIP = scenes.jpeg(scenes.strip(scenes.blobs()), comment=CANARY)
OWN = scenes.jpeg(scenes.blobs(), comment=CANARY)
# Of each look both windows send one: which kind, what, and as what. All are refused as no picture that was asked for.
REFUSED: tuple[tuple[str, dict[str, tuple[bytes, str]]], ...] = (
    ("theirs", {"bomb": (says(STRIP, 65_500, 65_500), "image/jpeg"), "png": (as_png(scenes.scene(0)), "image/png")}),
    ("mine", {"png, said to be a jpeg": (as_png(scenes.scene(0)), "image/jpeg"), "cut": (OWN[:-400], "image/jpeg")}),
    ("theirs", {"another size": (OWN, "image/jpeg"), "nothing": (b"", "image/jpeg")}),
)


def test_a_post_that_answers_no_look_has_its_status_and_harms_nobody(
    camera: Camera, looked: Looking, watch: Watch
) -> None:
    watch.quiet = ("Failed to load resource",)  # what a browser says of the statuses that are wanted
    windows: list[Hostile] = []

    def hands(*pages: Page) -> None:
        windows.extend(map(Hostile, pages))
        for window in windows:
            window.holds = [(kind,) for kind, _ in REFUSED]
        windows[1].holds = [*windows[0].holds, ("theirs",)]

    pages = call(camera, looked, "harmless", "other", "hostile", hands)
    found: dict[str, int] = {}
    for look, (kind, rows) in enumerate(REFUSED):
        for window, (name, (body, media)) in zip(windows, rows.items(), strict=True):
            nonce = window.asked(look)
            found[name] = window.post(nonce, kind, body, media)
            assert window.post(nonce, kind, STRIP if kind == "theirs" else OWN) == 404, "a nonce is good for one"
    one, two = windows
    assert two.post(two.asked(len(REFUSED)), "theirs", scenes.jpeg(scenes.strip(scenes.scene(0)))) == 204, (
        "what was asked for, by hand"
    )
    used = one.gave("theirs", len(REFUSED))
    other = {"replayed": one.post(used, "theirs", STRIP), "wrong": one.post("A" * 22, "theirs", STRIP)}
    assert found == dict.fromkeys(found, 415)
    assert other == dict.fromkeys(("replayed", "wrong"), 404)
    for page in pages:
        moving(page)
        expect(page.locator("body")).not_to_contain_text("Video ended")
        expect(page.locator("body")).not_to_contain_text(NUDITY)
    assert not cases(looked)
    assert not kept(looked)
    written = [path for path in looked.folder.rglob("*") if path.is_file()]
    assert not [path for path in written if CANARY in path.read_bytes()]
    assert CANARY.decode() not in looked.said


def forged(route: Route, body: bytes) -> None:
    """Sends something else."""
    route.continue_(post_data=body)
