"""Still pictures of a call, as the page takes them: what is in them, how large they are, and what is said where there is none.

The stranger and the own camera are drawings whose left, right and top are known; what would be sent is caught on its way out.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.server.site.web.conftest import Site, Watch
from tests.server.site.web.test_gallery import opened

MOST = 48 * 1024
NONCE = "abcdefghijklmnopqrstu_"
# A drawing is red at the left, blue at the right and white in the corner at the top left; `noise`: no two pixels are alike.
SETUP = """async () => {
  const base = document.querySelector('meta[name=base]').content;
  const [store, { snap }, { own }] = await Promise.all(['store.js', 'video/snap.js', 'video/own.js'].map((name) => import(base + name)));
  globalThis.told = [];
  globalThis.posts = [];
  globalThis.most = 0; // pictures under way at one time, of one kind
  globalThis.answer = async () => new Response(null, { status: 204 });
  const under = {};
  globalThis.fetch = async (url, { method, body }) => {
    const what = url.split('/').at(-1);
    most = Math.max(most, (under[what] = (under[what] ?? 0) + 1));
    const picture = await createImageBitmap(body);
    const start = [...new Uint8Array(await body.slice(0, 3).arrayBuffer())];
    posts.push({ url, what, method, type: body.type, size: body.size, start, width: picture.width, height: picture.height, picture });
    under[what] -= 1;
    return answer();
  };
  globalThis.camera = (width, height, noise = false) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pen = canvas.getContext('2d');
    const paint = () => {
      for (const [color, x] of [['#f00', 0], ['#00f', width / 2]]) {
        pen.fillStyle = color;
        pen.fillRect(x, 0, width / 2, height);
      }
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, width / 4, height / 4);
      if (!noise) return;
      const all = pen.createImageData(width, height);
      for (let at = 0; at < all.data.length; at += 1) all.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
      pen.putImageData(all, 0, 0);
    };
    paint();
    setInterval(paint, 40);
    return canvas.captureStream(25);
  };
  globalThis.theirs = () => document.getElementById('theirs');
  globalThis.mine = (stream) => {
    for (const track of own.getVideoTracks()) own.removeTrack(track);
    for (const track of stream?.getVideoTracks() ?? []) own.addTrack(track);
  };
  globalThis.ready = async (state) => {
    await put('call-picture');
    store.start((now, event) => (told.push(event), [now]), { ...store.get(), ...state }, () => {});
    theirs().srcObject = camera(640, 480);
    mine(camera(640, 480));
    await theirs().play();
  };
  globalThis.over = () => store.start(() => [store.get()], { ...store.get(), phase: 'ended' }, () => {});
  globalThis.take = (more) =>
    snap({ nonce: 'NONCE', theirs: true, mine: true, tiles: 3, gap: 50, within: 30, said: false, chat: 'c', ...more });
  globalThis.late = async () => { // the time of a look is over
    const now = performance.now();
    performance.now = () => now + 60_000;
    await taking;
    delete performance.now;
  };
  globalThis.said = () => told.filter(({ type }) => type === 'snap.not').map(({ nonce, why }) => [nonce, why]);
  globalThis.pixel = ({ picture }, x, y) => {
    const pen = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height }).getContext('2d');
    pen.drawImage(picture, 0, 0);
    const [red, green, blue] = pen.getImageData(x, y, 1, 1).data;
    const name = red > 180 && green > 180 ? 'white' : red > 180 ? 'red' : blue > 180 ? 'blue' : 'black';
    return name === 'black' && red + green + blue > 60 ? `${red} ${green} ${blue}` : name;
  };
}""".replace("NONCE", NONCE)


@pytest.fixture
def page(browser: Browser, watch: Watch, site: Site) -> Iterator[Page]:
    """A window in a call, whose pictures are caught."""
    page = opened(browser, watch, site, 1280, 800, "light", False)
    page.evaluate(SETUP)
    page.evaluate("ready()")
    yield page
    page.context.close()


def posts(page: Page) -> dict[str, Any]:
    """What was sent, by its kind, without its pixels."""
    found: list[dict[str, Any]] = page.evaluate("posts.map(({ picture, ...rest }) => rest)")
    return {post["what"]: post for post in found}


def test_three_tiles_of_the_stranger_and_one_of_oneself_go_out_as_jpegs_of_the_right_size(page: Page) -> None:
    page.evaluate("take()")
    found = posts(page)
    assert set(found) == {"theirs", "mine"}
    for what, height in (("theirs", 720), ("mine", 240)):
        post = found[what]
        assert (post["url"], post["method"]) == (f"/api/snap/{NONCE}/{what}", "POST")
        assert (post["type"], post["start"]) == ("image/jpeg", [0xFF, 0xD8, 0xFF])
        assert (post["width"], post["height"]) == (320, height)
        assert 0 < post["size"] <= MOST
    assert page.evaluate("[posts.length, said()]") == [2, []]


def test_each_tile_is_the_right_way_round(page: Page) -> None:
    page.evaluate("take()")
    for what, tiles in (("theirs", 3), ("mine", 1)):
        for tile in range(tiles):
            seen = [
                page.evaluate(
                    "([what, x, y]) => pixel(posts.find((post) => post.what === what), x, y)", [what, x, tile * 240 + y]
                )
                for x, y in ((20, 20), (20, 220), (300, 20), (300, 220))
            ]
            assert seen == ["white", "red", "blue", "blue"], (what, tile)


@pytest.mark.parametrize(
    ("size", "black", "filled"),
    [((640, 360), (160, 8), (8, 120)), ((360, 640), (8, 120), (155, 232)), ((1920, 1080), (160, 232), (8, 200))],
    ids=["wide", "tall", "large"],
)
def test_all_of_a_picture_is_in_its_tile(
    page: Page, size: tuple[int, int], black: tuple[int, int], filled: tuple[int, int]
) -> None:
    page.evaluate(
        "async (size) => { theirs().srcObject = camera(...size); mine(camera(...size)); await theirs().play(); await take(); }",
        list(size),
    )
    for what in ("theirs", "mine"):
        look = "([what, at]) => pixel(posts.find((post) => post.what === what), ...at)"
        assert page.evaluate(look, [what, list(black)]) == "black"
        assert page.evaluate(look, [what, list(filled)]) == "red"


def test_a_picture_that_packs_badly_is_sent_small_enough(page: Page) -> None:
    page.evaluate("async () => { theirs().srcObject = camera(640, 480, true); await theirs().play(); await take(); }")
    assert 10_000 < posts(page)["theirs"]["size"] <= MOST


def test_what_a_style_blurs_and_hides_from_the_person_is_taken_as_it_is(page: Page) -> None:
    page.evaluate(
        "async () => { theirs().classList.add('blur'); document.querySelector('.small-own').hidden = true; await take(); }"
    )
    step = "(x) => pixel(posts.find(({ what }) => what === 'theirs'), x, 200)"
    assert [page.evaluate(step, x) for x in (150, 170)] == ["red", "blue"]


def test_a_first_picture_is_waited_for(page: Page) -> None:
    page.evaluate("() => { theirs().srcObject = null; globalThis.taking = take({ mine: false }); }")
    page.wait_for_timeout(300)  # nothing must happen
    assert page.evaluate("posts.length") == 0
    page.evaluate("async () => { theirs().srcObject = camera(640, 480); await theirs().play(); await taking; }")
    assert page.evaluate("[posts.map(({ what }) => what), said()]") == [["theirs"], []]


def test_a_stranger_who_does_not_come_in_time_is_told_and_oneself_is_sent(page: Page) -> None:
    page.evaluate("() => { theirs().srcObject = null; globalThis.taking = take(); }")
    page.wait_for_function("() => posts.length === 1")
    page.evaluate("late()")
    assert page.evaluate("[posts.map(({ what }) => what), said()]") == [["mine"], [[NONCE, "early"]]]


def test_a_picture_that_stands_still_is_taken_as_it_stands(page: Page) -> None:
    page.evaluate(
        "async () => { theirs().srcObject.getTracks()[0].enabled = false; theirs().pause(); await take({ mine: false }); }"
    )
    assert page.evaluate("[posts.map(({ what }) => what), said()]") == [["theirs"], []]


def test_a_page_that_nobody_sees_says_so(page: Page) -> None:
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("() => { globalThis.taking = take(); }")
    page.wait_for_function("() => posts.length === 1")
    page.evaluate("late()")
    assert page.evaluate("said()") == [[NONCE, "hidden"]]
    assert "theirs" not in posts(page)
    page.evaluate("() => { globalThis.taking = take({ mine: false }); }")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")
    page.evaluate("taking")
    assert "theirs" in posts(page)  # they came back in time


def test_an_own_camera_that_gives_nothing_is_off_and_is_said_once(page: Page) -> None:
    page.evaluate("() => { mine(null); globalThis.taking = take(); }")
    page.wait_for_function("() => posts.length === 1")
    page.evaluate("late()")
    assert page.evaluate("[posts.map(({ what }) => what), said()]") == [["theirs"], [[NONCE, "camera"]]]
    page.evaluate(
        "async () => { told.length = 0; theirs().srcObject = null; await take({ within: 0.5, said: true }); }"
    )
    assert page.evaluate("said()") == []


def test_one_look_at_a_time_and_the_newest_waits(page: Page) -> None:
    names = [f"{NONCE[:-1]}{n}" for n in range(3)]
    page.evaluate("(names) => Promise.all(names.map((nonce) => take({ nonce })))", names)
    page.wait_for_function("() => posts.length === 4")
    urls = page.evaluate("posts.map(({ url }) => url.split('/').at(-2))")
    assert sorted(urls) == sorted([names[0], names[2]] * 2)
    assert page.evaluate("[most, said()]") == [1, []]
    page.evaluate("take()")  # and none of them is in the way of the next
    assert page.evaluate("posts.length") == 6


@pytest.mark.parametrize(
    "answer",
    ["async () => new Response(null, { status: 404 })", "async () => { throw new TypeError('no network') }"],
    ids=["used", "no network"],
)
def test_an_answer_that_is_none_is_no_error_to_anybody(page: Page, answer: str) -> None:
    page.evaluate(f"() => {{ globalThis.answer = {answer}; }}")
    page.evaluate("take()")
    assert page.evaluate("[posts.length, said()]") == [2, []]


def test_a_call_that_is_over_is_not_waited_for_and_nothing_is_said(page: Page) -> None:
    page.evaluate("() => { theirs().srcObject = null; globalThis.taking = take({ mine: false, within: 30 }); over(); }")
    page.evaluate("taking")
    assert page.evaluate("[posts.length, said()]") == [0, []]


def test_an_older_browser_does_the_same(page: Page) -> None:
    page.evaluate(
        """async () => {
          delete globalThis.OffscreenCanvas;
          delete HTMLVideoElement.prototype.requestVideoFrameCallback;
          delete AbortSignal.timeout;
          await take();
        }"""
    )
    assert {what: (post["width"], post["height"]) for what, post in posts(page).items()} == {
        "theirs": (320, 720),
        "mine": (320, 240),
    }


def test_nothing_of_a_look_is_left(page: Page) -> None:
    """No element, and the camera's frames are let go: an element that keeps them holds the stranger's first picture up."""
    before = page.evaluate("document.querySelectorAll('*').length")
    page.evaluate(
        """async () => {
          const make = document.createElement;
          globalThis.made = [];
          document.createElement = function (name) { const node = make.call(this, name); made.push(node); return node; };
          await take();
          document.createElement = make;
        }"""
    )
    assert page.evaluate("document.querySelectorAll('*').length") == before
    assert page.evaluate("made.filter(({ tagName }) => tagName === 'VIDEO').map(({ srcObject }) => srcObject)") == [
        None
    ]
