"""Test pictures of a case in Chromium: none is loaded before a press, and one is sharp only while a key or a finger holds it."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from serendip_client import Client, Matched, PicturesAllowed
from serendip_client import Picture as SentPicture
from serendip_client import Reported as ReportTaken
from server.data.objects.sealed_objects import Sealed
from server.data.store.store_runner import open_parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_chat import NOBODY, Person, Reported
from server.trust.evidence.reported_picture import OWN, STRIP, Picture
from tests.server.site.web.conftest import Opener, Watch
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter
from tests.support import scenes
from tests.support.services import free_port

pytestmark = pytest.mark.timeout(180)
DRAWN = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 720 });
  const pen = canvas.getContext("2d");
  for (let tile = 0; tile < 3; tile++) {
    pen.fillStyle = `hsl(${tile * 90} 80% 60%)`;
    pen.fillRect(0, tile * 240, 320, 240);
    pen.fillStyle = "#000";
    pen.fillRect(40 + tile * 30, tile * 240 + 60, 80, 80);
  }
  return canvas.toDataURL("image/jpeg", 0.7);
}"""


def keep(operated: Operated, page: Page, found: str, about: int) -> str:
    """What a program found, with a strip and an own picture, both drawn here; the id of the case."""
    body = base64.b64decode(page.evaluate(DRAWN).partition(",")[2])

    async def put() -> str:
        settings = Settings.model_validate({"data": str(operated.data)})
        parts = open_parts(settings, secret_keys.load(settings.data))
        sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
        now = int(time.time())
        shown = (Picture(STRIP, 1, now, body), Picture(OWN, 1, now, body))
        one = Reported(b"", found, "", now, "video", NOBODY, Person(about, f"198.51.100.{about}"), 1, None, True, shown)
        ident = await Cases(parts.database, sealed, parts.pseudonyms, lambda _: None).take(one)
        await parts.database.close()
        return ident.hex()

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, put()).result()


def filter_of(image: Locator) -> str:
    """How a picture is shown."""
    return str(image.evaluate("image => getComputedStyle(image).filter"))


def test_a_picture_is_loaded_by_a_press_and_sharp_while_it_is_held(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    mia = enter(window, operated, "pia", "moderator")
    asked: list[str] = []
    mia.on("request", lambda request: asked.append(request.url) if "/picture/" in request.url else None)
    mia.goto(f"{operated.origin}/case/{keep(operated, mia, 'nudity', 31)}")
    shots = mia.locator(".shot")
    expect(shots).to_have_count(2)
    expect(shots.first.get_by_role("button")).to_have_count(1)
    well(mia)
    assert asked == []
    shots.first.get_by_role("button", name="Load it blurred").click()
    image = shots.first.get_by_role("img")
    expect(image).to_be_visible()
    assert len(asked) == 1
    blurred = filter_of(image)
    assert "blur(12px)" in blurred
    assert "grayscale(1)" in blurred
    well(mia)
    hold = shots.first.get_by_role("button", name="Hold to see it sharp")
    expect(hold).to_be_focused()
    mia.keyboard.down("v")
    assert filter_of(image) == "none"
    well(mia)
    mia.keyboard.up("v")
    assert filter_of(image) == blurred
    mia.keyboard.down(" ")
    assert filter_of(image) == "none"
    mia.keyboard.up(" ")
    assert filter_of(image) == blurred
    hold.hover()
    mia.mouse.down()
    assert filter_of(image) == "none"
    mia.mouse.up()
    assert filter_of(image) == blurred
    mia.keyboard.down("v")
    mia.evaluate("dispatchEvent(new Event('blur'))")  # who goes elsewhere leaves nothing sharp behind
    assert filter_of(image) == blurred
    mia.keyboard.up("v")
    assert len(asked) == 1
    mia.locator("#words").fill("vvv")  # who types, types
    assert filter_of(image) == blurred
    mia.keyboard.press("x")
    assert len(asked) == 1
    mia.keyboard.press("Escape")
    mia.keyboard.press("x")  # the next one, by keyboard
    expect(shots.nth(1).get_by_role("img")).to_be_visible()
    assert len(asked) == 2


def test_a_moderator_sees_the_last_pictures_that_a_reported_person_sent(
    window: Opener, quiet: Watch, tmp_path: Path
) -> None:
    sending = Operated(
        tmp_path, free_port(), SERENDIP_PICTURES__IN_CHAT="on", SERENDIP_LIMITS__ENABLED="false"
    )  # no program checks them
    try:
        mia = enter(window, sending, "pia", "moderator")
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, send_and_report(sending.server.port)).result()
        open_case(mia, sending)
        shots = mia.locator(".shot")
        expect(shots).to_have_count(3)
        expect(shots.first).to_have_attribute("data-what", re.compile("Picture that the reported person sent"))
        widths = []
        for number in range(3):
            shots.nth(number).locator(".load").click()
            picture = shots.nth(number).get_by_role("img")
            expect(picture).not_to_have_js_property("naturalWidth", 0)
            widths.append(picture.evaluate("it => it.naturalWidth"))
        assert widths == [401, 402, 403], "in the order in which they were sent"
        well(mia)
    finally:
        assert sending.server.stop() == 0


async def send_and_report(port: int) -> None:
    """Two in a chat; one sends four pictures of 400, 401 … pixels, the other reports."""
    url = f"ws://127.0.0.1:{port}/ws"
    async with Client(url) as one, Client(url) as two:
        for person in (one, two):
            await person.find(["pictures"], pictures=True)
        for person in (one, two):
            await person.next(Matched)
        for person, other in ((one, two), (two, one)):
            await person.allow_pictures()
            await other.next(PicturesAllowed)
        for number in range(4):
            await one.send_picture(scenes.jpeg(scenes.scene(number, (400 + number, 300))))
            await two.next(SentPicture)
        await two.report("nudity")
        await two.next(ReportTaken)


def open_case(page: Page, operated: Operated) -> None:
    """Open the first case, once it is there."""
    until = time.monotonic() + 60
    while not (found := page.locator('main a[href^="/case/"]')).count():
        assert time.monotonic() < until
        page.goto(f"{operated.origin}/cases")
    found.first.click()


def test_what_lies_with_role_child_wants_a_reason_first(window: Opener, operated: Operated, quiet: Watch) -> None:
    eva = enter(lambda **more: window(locale="ar", **more), operated, "eva", "child")
    eva.goto(f"{operated.origin}/case/{keep(operated, eva, 'known', 32)}")
    expect(eva.locator(".grave li")).to_have_count(5)
    well(eva)
    shot = eva.locator(".shot").first
    shot.locator(".load").click()
    expect(shot.locator("img")).to_have_count(0)
    expect(eva.locator("#look-why")).to_be_focused()
    eva.locator("#look-why").fill("is it on the list?")
    shot.locator(".load").click()
    expect(shot.locator("img")).to_be_visible()
    well(eva)


def test_a_picture_that_went_meanwhile_is_said_to_be_gone(window: Opener, operated: Operated, quiet: Watch) -> None:
    mia = enter(window, operated, "gia", "moderator")
    mia.goto(f"{operated.origin}/case/{keep(operated, mia, 'differs', 33)}")
    mia.route("**/picture/**", lambda route: route.fulfill(status=404))
    shot = mia.locator(".shot").first
    shot.locator(".load").click()
    expect(shot.get_by_role("status")).to_have_text("It could not be loaded.")
    expect(shot.locator(".load")).to_be_enabled()
