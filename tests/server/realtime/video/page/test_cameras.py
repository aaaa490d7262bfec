"""Browsers with cameras of their own, a server, and the program with its model: what a camera shows, through capture, call and look.

Each camera is a file that Chromium plays, so each is a browser of its own, which all tests share; a person is a window of it. Whoever harms does it
by the page's own requests: they are held back, or carry another picture; or by requests of their own, from the page. The times between looks are
shorter here than in the service (QUICK): those are the engine's tests.
"""

import base64
import json
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, WebSocket, expect

from engine.conduct.detection_consequences import LIMITS
from tests.server.realtime.video.page.conftest import begin, moving, prepare
from tests.server.site.web.conftest import ARGUMENTS, CHROMIUM, PERSON, Watch
from tests.server.site.web.servers import ROOT, Server
from tests.support import scenes
from tests.support.forkserver import START
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(240)  # a model looks, several times, at moments that are drawn
ON = {"SERENDIP_SAFETY__MODERATED": "true", "SERENDIP_PICTURES__MEAN": "20", "SERENDIP_STORE__ENABLED": "true"}
# A look each three seconds or so, and what is missing is counted after seven. Two hits are two looks that follow each other.
QUICK = """
import engine.conduct.camera_verdicts, engine.wire.rule_constants, engine.wire.protocol
engine.conduct.camera_verdicts.HITS_APART = 2.0
from engine.wire import rule_constants
rule_constants.LOOK_LEAST, rule_constants.LOOK_SPREAD, rule_constants.LOOK_CLOSE, rule_constants.CLOSE_POINTS = 2.0, 1.0, 3.0, 0
engine.wire.protocol.SNAP_WITHIN = 5
"""
NUDITY = "This may be nudity."
PATIENT = 90_000  # ms: looks are apart by chance
Camera = Callable[[str], Page]


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


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that looks at pictures: whoever asks it was told so."""
    data = tmp_path_factory.mktemp("data")
    server = Server(data, QUICK, **ON)
    server.folder = data  # type: ignore[attr-defined]  # for who reads its store
    yield server
    server.stop()


@pytest.fixture
def camera(cameras: Callable[[str], Browser], watch: Watch, looked: Server) -> Iterator[Camera]:
    """Opens a window whose camera shows that film."""
    contexts: list[BrowserContext] = []

    def opened(film: str) -> Page:
        def window(**more: Any) -> Page:
            more = {**PERSON, **more}
            context = cameras(film).new_context(viewport={"width": 1280, "height": 800}, **more)
            contexts.append(context)
            context.set_default_timeout(10_000)
            watch.over(context)
            return context.new_page()

        page = prepare(window, lifts=True)
        on(page, looked)
        return page

    yield opened
    for context in contexts:
        context.close()


def on(page: Page, server: Server) -> None:
    """Wait until the program is there."""
    for _ in range(600):
        with urllib.request.urlopen(f"{server.url}api/config") as answer:  # noqa: S310 - our own
            if json.loads(answer.read()).get("pictures"):
                return
        page.wait_for_timeout(100)  # another process has no event
    raise AssertionError("pictures are not looked at")


def call(
    camera: Camera, server: Server, one: str, two: str, topic: str, hands: Callable[[Page, Page], None]
) -> tuple[Page, Page]:
    """Two in a call; `hands`: what is done to their requests before."""
    pages = camera(one), camera(two)
    hands(*pages)
    for page in pages:
        begin(page, server.url, topic)
    for page in pages:
        moving(page)
    return pages


def cases(server: Server) -> dict[str, tuple[str, set[str]]]:
    """The cases in its store: queue and reasons, by id."""
    path = server.folder / "serendip.db"  # type: ignore[attr-defined]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute('SELECT hex(id), queue, reasons FROM "case"').fetchall()
    return {ident: (queue, set(reasons.split(","))) for ident, queue, reasons in rows}


def listed(server: Server) -> list[dict[str, Any]]:
    """The open cases, as an operator lists them."""
    data = str(server.folder)  # type: ignore[attr-defined]
    command = [sys.executable, "-c", START, "safety", "cases", "--json", "--data", data]
    found: list[dict[str, Any]] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return found


def kept(server: Server) -> set[Path]:
    """Pictures in its store."""
    return set((server.folder / "objects").glob("snaps/**/*"))  # type: ignore[attr-defined]


def counted_chats(server: Server, ident: str) -> list[int]:
    """Return for each chat of a case the number of chats of the day that it says, as an operator reads it."""
    data = str(server.folder)  # type: ignore[attr-defined]
    command = [sys.executable, "-c", START, "safety", "show", ident.lower(), "--why", "test", "--json", "--data", data]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return [1 + len(text["counted"]["earlier"]) for text in found["texts"]]


def case(page: Page, server: Server, reason: str, before: set[str]) -> str:
    """Wait for one of that reason that was not there before; its queue."""
    for _ in range(300):
        for ident, (queue, reasons) in cases(server).items():
            if ident not in before and reason in reasons:
                return queue
        page.wait_for_timeout(100)  # another process has no event
    raise AssertionError(f"no case of {reason}")


def as_it_is(_: Page, __: Page) -> None:
    """Nobody harms."""


def nobody_is_kept_out(page: Page, server: Server, topic: str) -> None:
    """They may look for another video chat."""
    page.reload()
    expect(page.locator("body")).not_to_contain_text("banned")
    begin(page, server.url, topic)
    expect(page.locator("h1")).to_contain_text("Looking")


def test_what_looks_like_nudity_is_veiled_and_seen_twice_a_person_looks_and_nobody_is_banned(
    camera: Camera, looked: Server
) -> None:
    before = set(cases(looked))
    anna, ben = call(camera, looked, "harmless", "blobs", "veiled", as_it_is)
    gate = anna.locator(".gate")
    expect(gate).to_contain_text(NUDITY, timeout=PATIENT)
    picture(anna, "video/cameras-veil")
    expect(ben.locator("body")).not_to_contain_text(NUDITY)
    assert case(anna, looked, "nudity", before) == "machine"
    assert [one["queue"] for one in listed(looked) if "nudity" in one["reasons"]] == ["machine"]
    gate.get_by_role("button", name="Next person").click()
    expect(ben.locator("h1, .ended")).not_to_have_count(0)
    nobody_is_kept_out(ben, looked, "nobody is kept out")


def test_three_partners_who_press_next_at_the_blur_make_a_case(camera: Camera, looked: Server) -> None:
    before, topic = set(cases(looked)), "three of them"
    ben = camera("blobs")
    begin(ben, looked.url, topic)
    for number in range(LIMITS["nudity"].case):
        assert set(cases(looked)) == before, f"a case after {number} chats"
        anna = camera("harmless")
        begin(anna, looked.url, topic)
        expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
        anna.locator(".gate").get_by_role("button", name="Next person").click()
        ben.get_by_role("button", name="Meet someone new").click(timeout=PATIENT)
        anna.context.close()
    assert case(ben, looked, "nudity", before) == "machine"
    (new,) = set(cases(looked)) - before
    assert counted_chats(looked, new) == [LIMITS["nudity"].case], "its moderator reads which chats brought it"
    expect(ben.locator("h1")).to_contain_text("Looking")  # nothing follows for them before a person has looked


def test_harmless_cameras_are_looked_at_and_nothing_of_them_is_kept(camera: Camera, looked: Server) -> None:
    posts: list[int] = []
    before, stored = set(cases(looked)), kept(looked)

    def hands(one: Page, two: Page) -> None:
        for page in (one, two):
            page.on("response", lambda answer: "/api/snap/" in answer.url and posts.append(answer.status))

    anna, ben = call(camera, looked, "harmless", "other", "harmless", hands)
    for _ in range(300):
        if len(posts) >= 4:
            break
        anna.wait_for_timeout(200)  # lets what came be handled
    assert posts[:4] == [204] * 4
    for page in (anna, ben):
        expect(page.locator("body")).not_to_contain_text(NUDITY)
    assert set(cases(looked)) == before
    assert kept(looked) == stored


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
def test_a_forged_picture_brings_a_person_and_a_veil_and_no_measure(camera: Camera, looked: Server, who: str) -> None:
    film, kind, body, reason = LIES[who]

    def hands(anna: Page, ben: Page) -> None:
        liar = ben if kind == "mine" else anna
        liar.route(f"**/api/snap/*/{kind}", lambda route: forged(route, body))

    before = set(cases(looked))
    anna, ben = call(camera, looked, "harmless", film, who.replace(",", ""), hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    assert case(anna, looked, reason, before) == "machine"
    expect(ben.locator("body")).not_to_contain_text(NUDITY)
    for page in (anna, ben):
        expect(page.locator("body")).not_to_contain_text("Video ended")
    anna.locator(".gate").get_by_role("button", name="Next person").click()
    expect(anna.locator("h1")).to_contain_text("Looking")
    expect(ben.locator("h1, .ended")).not_to_have_count(0)
    nobody_is_kept_out(ben, looked, "nobody is kept out either")


def test_who_withholds_their_own_picture_is_confirmed_by_the_other_one(camera: Camera, looked: Server) -> None:
    def hands(_: Page, ben: Page) -> None:
        ben.route("**/api/snap/*/mine", lambda route: route.fulfill(status=204))

    before = set(cases(looked))
    anna, ben = call(camera, looked, "other", "blobs", "withheld", hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    assert case(anna, looked, "nudity", before) == "machine"
    expect(ben.get_by_role("button", name="Leave")).to_be_visible()  # whatever follows of it, they are in their chat


def test_whoever_gives_no_picture_of_the_stranger_has_no_video_for_a_while_and_the_text_goes_on(
    camera: Camera, looked: Server
) -> None:
    def hands(_: Page, ben: Page) -> None:
        for kind in ("theirs", "mine"):
            ben.route(f"**/api/snap/*/{kind}", lambda route: route.fulfill(status=204))

    anna, ben = call(camera, looked, "harmless", "other", "unseen", hands)
    for page in (anna, ben):
        expect(page.locator("body")).to_contain_text("Video ended", timeout=2 * PATIENT)
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
        return self._until(lambda: self.nonces[look] if len(self.nonces) > look else "")

    def gave(self, nonce: str, kind: str) -> None:
        """Wait until the page sent that."""
        self._until(lambda: "it did" if (nonce, kind) in self.taken else "")

    def _until(self, true: Callable[[], str]) -> str:
        for _ in range(600):
            if found := true():
                return found
            self.page.wait_for_timeout(50)  # lets what came be handled
        raise AssertionError("it did not come")

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
    camera: Camera, looked: Server, watch: Watch
) -> None:
    watch.quiet = ("Failed to load resource",)  # what a browser says of the statuses that are wanted
    before, stored, windows = set(cases(looked)), kept(looked), list[Hostile]()

    def hands(*pages: Page) -> None:
        windows.extend(map(Hostile, pages))
        for window in windows:
            window.holds = [(kind,) for kind, _ in REFUSED]
        windows[1].holds = [("theirs", "mine"), ("mine",), ("theirs",), ("theirs",)]

    pages = call(camera, looked, "harmless", "other", "hostile", hands)
    found: dict[str, int] = {}
    for look, (kind, rows) in enumerate(REFUSED):
        for window, (name, (body, media)) in zip(windows, rows.items(), strict=True):
            nonce = window.asked(look)
            found[name] = window.post(nonce, kind, body, media)
            assert window.post(nonce, kind, STRIP if kind == "theirs" else OWN) == 404, "a nonce is good for one"
    one, two = windows
    nonce, good = one.asked(len(REFUSED)), two.asked(len(REFUSED))
    assert two.post(good, "theirs", scenes.jpeg(scenes.strip(scenes.scene(0)))) == 204, "what was asked for, by hand"
    one.gave(nonce, "theirs")
    other = {"replayed": one.post(nonce, "theirs", STRIP), "wrong": one.post("A" * 22, "theirs", STRIP)}
    other["late"] = two.post(two.nonces[0], "mine", OWN)  # of the first look, whose time was over before the third
    assert found == dict.fromkeys(found, 415)
    assert other == dict.fromkeys(("replayed", "wrong", "late"), 404)
    for page in pages:
        moving(page)
        expect(page.locator("body")).not_to_contain_text("Video ended")
        expect(page.locator("body")).not_to_contain_text(NUDITY)
    assert (set(cases(looked)), kept(looked)) == (before, stored)
    written = [path for path in looked.folder.rglob("*") if path.is_file()]  # type: ignore[attr-defined]
    assert not [path for path in written if CANARY in path.read_bytes()]
    assert CANARY.decode() not in looked.said


def forged(route: Route, body: bytes) -> None:
    """Sends something else."""
    route.continue_(post_data=body)
