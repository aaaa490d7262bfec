"""Two browsers with cameras of their own, a server, and the program with its model: what a camera shows, through capture, call and look.

Each camera is a file that Chromium plays, so each is a browser of its own. Whoever harms does it by the page's own requests: they are held back,
or carry another picture.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.server.video.page.conftest import OUT, begin, moving, prepare
from tests.server.web.conftest import ARGUMENTS, Watch
from tests.server.web.servers import ROOT, START, Server
from tests.support import scenes

pytestmark = pytest.mark.timeout(240)  # a model looks, several times, at moments that are drawn
ON = {"SERENDIP_SAFETY__MODERATED": "true", "SERENDIP_PICTURES__MEAN": "20", "SERENDIP_STORE__ENABLED": "true"}
NUDITY = "This may be nudity."
PATIENT = 90_000  # ms: looks are apart by chance
Camera = Callable[[str], Page]


def film(path: Path, picture: Any) -> Path:
    """A camera's picture, 640 by 480, that moves a little."""
    frames = []
    for step in range(8):
        frame = picture.copy()
        frame.paste((step * 30, 90, 200 - step * 20), (620, 460 - 4 * step, 636, 476 - 4 * step))
        frames.append(scenes.jpeg(frame, 92))
    path.write_bytes(b"".join(frames))
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    size = (640, 480)
    return {
        "harmless": film(folder / "harmless.mjpeg", scenes.scene(0, size)),
        "other": film(folder / "other.mjpeg", scenes.scene(4, size)),
        "blobs": film(folder / "blobs.mjpeg", scenes.blobs(size)),
    }


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that looks at pictures: whoever asks it was told so."""
    data = tmp_path_factory.mktemp("data")
    server = Server(data, **ON)
    server.folder = data  # type: ignore[attr-defined]  # for who reads its store
    yield server
    server.stop()


@pytest.fixture
def camera(browser: Browser, watch: Watch, films: dict[str, Path], looked: Server) -> Iterator[Camera]:
    """Opens a window whose camera shows that film."""
    browsers: list[Browser] = []

    def opened(film: str) -> Page:
        arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={films[film]}"]
        one = browser.browser_type.launch(executable_path="/usr/bin/chromium", args=arguments)
        browsers.append(one)

        def window(**more: Any) -> Page:
            context = one.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", **more)
            context.set_default_timeout(10_000)
            watch.over(context)
            return context.new_page()

        page = prepare(window)
        on(page, looked)
        return page

    yield opened
    for one in browsers:
        one.close()


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


def cases(server: Server) -> list[dict[str, Any]]:
    """The open cases, as an operator lists them."""
    data = str(server.folder)  # type: ignore[attr-defined]
    command = [sys.executable, "-c", START, "safety", "cases", "--json", "--data", data]
    found: list[dict[str, Any]] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return found


def kept(server: Server) -> set[Path]:
    """Pictures in its store."""
    return set((server.folder / "objects").glob("snaps/**/*"))  # type: ignore[attr-defined]


def case(page: Page, server: Server, reason: str) -> dict[str, Any]:
    """Wait for one of that reason."""
    for _ in range(60):
        found = [one for one in cases(server) if reason in one["reasons"]]
        if found:
            return found[0]
        page.wait_for_timeout(500)  # another process has no event
    raise AssertionError(f"no case of {reason}")


def as_it_is(_: Page, __: Page) -> None:
    """Nobody harms."""


def test_what_looks_like_nudity_is_veiled_and_seen_twice_a_person_looks_and_nobody_is_banned(
    camera: Camera, looked: Server
) -> None:
    anna, ben = call(camera, looked, "harmless", "blobs", "veiled", as_it_is)
    gate = anna.locator(".gate")
    expect(gate).to_contain_text(NUDITY, timeout=PATIENT)
    anna.screenshot(path=OUT / "cameras-veil.png")
    expect(ben.locator(".gate")).not_to_contain_text(NUDITY)
    found = case(anna, looked, "nudity")
    assert found["queue"] == "machine"
    gate.get_by_role("button", name="Next person").click()
    expect(ben.locator("h1, .ended")).not_to_have_count(0)
    ben.reload()
    expect(ben.locator("body")).not_to_contain_text("banned")
    begin(ben, looked.url, "nobody is kept out")
    expect(ben.locator("h1")).to_contain_text("Looking")


def test_harmless_cameras_are_looked_at_and_nothing_of_them_is_kept(camera: Camera, looked: Server) -> None:
    posts: list[int] = []
    before, stored = len(cases(looked)), kept(looked)

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
        expect(page.locator(".gate")).not_to_contain_text(NUDITY)
    assert len(cases(looked)) == before
    assert kept(looked) == stored


def test_who_gives_another_picture_of_their_camera_brings_a_person_and_no_measure(
    camera: Camera, looked: Server
) -> None:
    def hands(_: Page, ben: Page) -> None:
        tile = scenes.jpeg(scenes.scene(2))
        ben.route("**/api/snap/*/mine", lambda route: forged(route, tile))

    anna, _ben = call(camera, looked, "harmless", "blobs", "forged", hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    assert case(anna, looked, "differs")["queue"] == "machine"


def test_who_withholds_their_own_picture_is_confirmed_by_the_other_one(camera: Camera, looked: Server) -> None:
    def hands(_: Page, ben: Page) -> None:
        ben.route("**/api/snap/*/mine", lambda route: route.fulfill(status=204))

    before = len(cases(looked))
    anna, ben = call(camera, looked, "other", "blobs", "withheld", hands)
    expect(anna.locator(".gate")).to_contain_text(NUDITY, timeout=PATIENT)
    for _ in range(60):
        if len(cases(looked)) > before:
            break
        anna.wait_for_timeout(500)  # another process has no event
    assert any("nudity" in one["reasons"] for one in cases(looked))
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
    anna.screenshot(path=OUT / "cameras-unchecked.png")
    for _ in range(2):
        ben.locator(".next:visible").click()
    expect(ben.locator("#novideo")).to_contain_text("Video is off for you until")
    ben.screenshot(path=OUT / "cameras-refused.png")


def forged(route: Route, body: bytes) -> None:
    """Sends something else."""
    route.continue_(post_data=body)
