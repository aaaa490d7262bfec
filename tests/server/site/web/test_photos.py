"""Test two windows that send each other pictures: the question, the preview, the blur, a refusal, a reload, and what a hostile sender gets."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from server.trust.pictures.jpeg_header import is_bare, size
from tests.server.site.web.conftest import Opener, meet, opened
from tests.server.site.web.servers import Server
from tests.support import scenes
from tests.support.pictures import picture

PHOTO = ".photo img"
KEY = """async () => {
  const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
  return store.get().chat.lines.find(({photo}) => photo).photo.key;
}"""


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose users may send each other unchecked pictures: no model is loaded."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_PICTURES__IN_CHAT="on", SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph as a phone makes one: large, with a place, and turned by its Exif."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "a phone of Anna's"
    body = BytesIO()
    scenes.scene(3, (2000, 1500)).save(body, "JPEG", exif=exif, quality=92)
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    path.write_bytes(body.getvalue())
    return path


def more(page: Page, button: str) -> None:
    """Press a button of the chat's menu."""
    page.get_by_role("button", name="More", exact=True).click()
    page.locator(f"#more {button}").click()


def agree(anna: Page, ben: Page) -> None:
    """Both allow pictures."""
    more(anna, "#photo-ask")
    ben.locator("#photo-allow").click()
    expect(anna.locator("#photo-pick")).to_be_visible()
    expect(ben.locator("#photo-pick")).to_be_visible()


def choose(page: Page, path: Path) -> None:
    """Choose a file by the button beside the field."""
    with page.expect_file_chooser() as chooser:
        page.locator("#photo-pick").click()
    chooser.value.set_files(path)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_picture_is_asked_for_allowed_sent_and_shown_after_a_press(
    window: Opener, open_server: Server, photo: Path, width: int, scheme: str
) -> None:
    anna, ben = meet(window, open_server.url, f"photos {width}", width=width, color_scheme=scheme)
    more(anna, "#photo-ask")
    expect(anna.locator("#say")).to_have_text("You asked to send each other pictures. They can allow it, or leave it.")
    ask = ben.get_by_role("group", name="wants to send pictures")
    expect(ask).to_be_visible()
    expect(ben.locator("#say")).to_contain_text("wants to send pictures. Allow it in this chat?")
    picture(ben, f"gallery/photo-ask-{width}-{scheme}")
    ben.keyboard.press("Alt+p")
    expect(ben.locator("#photo-allow")).to_be_focused()
    ben.keyboard.press("Enter")
    expect(ask).to_have_count(0)
    for page in (anna, ben):
        expect(page.locator(".divider").last).to_have_text("You can now send each other pictures.")
    choose(anna, photo)
    opened(anna, "#photo")
    expect(anna.locator("#photo .preview")).to_be_visible()
    picture(anna, f"gallery/photo-preview-{width}-{scheme}")
    anna.locator("#photo-go").click()
    theirs = ben.locator(".photoline.them")
    expect(theirs.locator("img")).to_have_js_property("naturalHeight", 1280)
    expect(theirs.locator("img")).to_have_js_property("naturalWidth", 960)  # turned as it was held
    expect(theirs.locator(".photo")).to_have_attribute("data-blurred", "")
    expect(anna.locator("#say")).to_have_text("Picture sent.")
    expect(ben.locator("#say")).to_contain_text("sent a picture.")
    picture(ben, f"gallery/photo-blurred-{width}-{scheme}")
    theirs.get_by_role("button", name="blurred: show it").click()
    # it was not checked: a second press
    expect(theirs.locator(".photo")).to_have_attribute("data-blurred", "")
    theirs.get_by_role("button", name="blurred: show it").click()
    expect(theirs.locator(".photo")).not_to_have_attribute("data-blurred", "")
    picture(ben, f"gallery/photo-shown-{width}-{scheme}")
    theirs.get_by_role("button", name="Larger").click()
    opened(ben, "#large")
    expect(ben.locator("#large .preview")).to_be_visible()
    picture(ben, f"gallery/photo-large-{width}-{scheme}")
    ben.keyboard.press("Escape")
    theirs.get_by_role("button", name="Blur", exact=True).click()
    expect(theirs.locator(".photo")).to_have_attribute("data-blurred", "")
    key = ben.evaluate(KEY)
    answer = ben.request.get(f"{open_server.url}api/picture/{key}")
    assert answer.status == 200, (answer.status, answer.url)
    body = answer.body()
    assert (is_bare(body), size(body)) == (True, (960, 1280))
    assert b"Anna" not in body
    picture(anna, f"gallery/photo-own-{width}-{scheme}")


def test_a_no_is_not_told_and_pictures_are_turned_off_again(window: Opener, open_server: Server) -> None:
    anna, ben = meet(window, open_server.url, "photos no")
    more(anna, "#photo-ask")
    ben.locator("#photo-no").click()
    expect(ben.locator(".photoask")).to_have_count(0)
    expect(ben.locator("#message")).to_be_focused()
    expect(anna.locator(".divider")).to_have_count(0)
    expect(anna.locator("#photo-pick")).to_have_count(0)
    more(ben, "#photo-ask")
    expect(anna.locator("#photo-pick")).to_be_visible()
    more(anna, "#photo-off")
    for page in (anna, ben):
        expect(page.locator(".divider").last).to_have_text("Pictures are off in this chat.")
        expect(page.locator("#photo-pick")).to_have_count(0)


def test_pictures_survive_a_reload_and_a_file_that_is_none_is_said_so(
    window: Opener, open_server: Server, photo: Path, tmp_path: Path
) -> None:
    anna, ben = meet(window, open_server.url, "photos reload")
    agree(anna, ben)
    none = tmp_path / "none.png"
    none.write_bytes(b"no picture")
    choose(anna, none)
    expect(anna.locator("#photo h2")).to_have_text("This file cannot be read as a picture.")
    with anna.expect_file_chooser() as chooser:
        anna.locator("#photo-other").click()
    chooser.value.set_files(photo)
    anna.locator("#photo-go").click()
    expect(ben.locator(PHOTO)).to_have_count(1)
    anna.fill("#message", "a line after it")
    anna.press("#message", "Enter")
    expect(ben.locator(".bubble")).to_have_text("a line after it")
    for page, mine in ((ben, "them"), (anna, "me")):
        page.reload()
        expect(page.locator(f".photoline.{mine} img")).to_have_js_property("naturalHeight", 1280)
        expect(page.locator("#photo-pick")).to_be_visible()
        order = page.locator(".lines > li").evaluate_all(
            "all => all.map((one) => (one.matches('.photoline') ? 'photo' : one.className.split(' ')[0]))"
        )
        assert order.index("photo") < order.index("line")
