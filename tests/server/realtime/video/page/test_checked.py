"""Pictures of a call that are checked, in two windows: what is told before, what is sent, and what a veil and an ended call look like.

What the server says of pictures is put on the wire here, in front of the real server; so is its answer to what is sent.
"""

import base64
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.server.realtime.video.page.conftest import UNHURRIED, begin, moving, prepare
from tests.server.site.web.conftest import Opener, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)
NONCE = "abcdefghijklmnopqrstu_"
SNAP = {"type": "snap", "nonce": NONCE, "tiles": 3, "gap": 250, "mine": True, "within": 30}
NUDITY = {"type": "veil", "on": True, "why": "nudity"}
UNCHECKED = {"type": "veil", "on": True, "why": "unchecked"}
HIDDEN = (
    "() => { const { muted, className } = document.querySelector('#theirs'); return [muted, className === 'blur']; }"
)
# Of three tiles those that have more than one colour in their middle.
COLORS = """async (body) => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(body), (char) => char.charCodeAt(0))]));
  const pen = Object.assign(document.createElement('canvas'), { width: 320, height: 720 }).getContext('2d');
  pen.drawImage(picture, 0, 0);
  const greens = (tile) => [...pen.getImageData(20, tile * 240 + 60, 280, 120).data].filter((_, at) => at % 4 === 1);
  const seen = (tile) => new Set(greens(tile).map((green) => green >> 5));
  return [0, 1, 2].filter((tile) => seen(tile).size > 1).length;
}"""
CAMERA = "tracks.some(({kind, readyState}) => kind === 'video' && readyState === 'live')"


class Wire:
    """The wire of a window: what it says, and a way to tell it what a server that checks pictures would."""

    def __init__(self, page: Page, pictures: bool = True) -> None:
        self.page = page
        self.said: list[dict[str, Any]] = []
        self.posts: list[str] = []
        self.bodies: list[str] = []
        self.refuse: dict[str, Any] | None = None  # what a `find` by video is answered with
        self.asks = False  # a report asks for pictures
        self._socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile(r"/ws$"), self._opened)
        page.route("**/api/snap/**", self._posted)
        if pictures:
            page.route("**/api/config", self._config)

    def _config(self, route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "pictures": True})

    def _posted(self, route: Route) -> None:
        self.bodies.append(base64.b64encode(route.request.post_data_buffer or b"").decode())
        self.posts.append(route.request.url.split("/api/snap/")[1])
        route.fulfill(status=204)

    def _opened(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        server = socket.connect_to_server()

        def heard(message: str | bytes) -> None:
            frame = json.loads(message)
            self.said.append(frame)
            if self.refuse and frame["type"] == "find" and frame["mode"] == "video":
                socket.send(json.dumps(self.refuse))
            elif frame["type"] != "nosnap":
                server.send(message)
            if self.asks and frame["type"] == "report":
                socket.send(json.dumps(SNAP))

        socket.on_message(heard)

    def tell(self, frame: dict[str, Any]) -> None:
        """A frame of the server."""
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What the window said of a type."""
        return [frame for frame in self.said if frame["type"] == kind]

    def answered(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many answers that there is no picture."""
        for _ in range(600):
            if len(self.of("nosnap")) >= count:
                break
            self.page.wait_for_timeout(100)  # lets what came be handled
        return self.of("nosnap")

    def posted(self, count: int) -> list[str]:
        """Wait for so many pictures."""
        for _ in range(600):
            if len(self.posts) >= count:
                break
            self.page.wait_for_timeout(100)  # lets what came be handled
        return sorted(self.posts)


def wired(window: Opener, **choices: object) -> Wire:
    """A window whose wire is in hand."""
    pictures = bool(choices.pop("pictures", True))
    return Wire(prepare(window, **choices), pictures)


def two(window: Opener, url: str, topic: str, **choices: object) -> tuple[Wire, Wire]:
    """Two windows in one call, each with a picture."""
    choices.setdefault("lifts", True)
    wires = wired(window, **choices), wired(window, **choices)
    for wire in wires:
        begin(wire.page, url, topic)
    for wire in wires:
        moving(wire.page)
    return wires


def hidden(page: Page, is_hidden: bool) -> None:
    """Wait until the stranger is blurred and silent, or neither."""
    page.wait_for_function(f"(wanted) => ({HIDDEN})().every((so) => so === wanted)", arg=is_hidden)


def test_it_is_told_before_it_is_asked_for_and_the_stage_says_it_as_long_as_it_is_so(
    window: Opener, calls: Server
) -> None:
    wire = wired(window, width=360, height=740)
    page = wire.page
    page.goto(calls.url)
    page.click("#start-video")
    told = page.locator(".checked")
    expect(told).to_contain_text("a program on this server checks still pictures of both cameras")
    expect(told).to_be_in_viewport(ratio=1)
    expect(told.get_by_role("link", name="More")).to_have_attribute("href", re.compile("^/privacy"))
    picture(page, "video/checked-ready-360")
    assert wire.of("find") == []
    page.click("#ready-go")
    expect(page.locator(".waiting")).to_be_visible()
    assert [frame["snaps"] for frame in wire.of("find")] == [True]
    other = wired(window)
    other.page.goto(calls.url)
    other.page.click("#start-video")
    other.page.click("#ready-go")
    shield = page.get_by_role("button", name="Pictures are checked")
    expect(shield).to_have_attribute("title", re.compile("at random moments"))
    shield.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("A person sees one only if")
    opened(page, "#pictures")
    page.keyboard.press("Escape")
    expect(shield).to_be_focused()


def test_where_pictures_are_off_there_is_nothing_of_it(window: Opener, calls: Server) -> None:
    anna, _ben = two(window, calls.url, "nothing of it", pictures=False)
    assert "snaps" not in anna.of("find")[-1]
    expect(anna.page.locator(".shield, .checked")).to_have_count(0)
    assert not anna.page.evaluate(
        "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/snap.js'))"
    )


def test_behind_a_curtain_no_picture_is_taken_and_no_press_that_was_meant_to_lift_it_lifts_a_veil(
    window: Opener, calls: Server
) -> None:
    anna, ben = wired(window), wired(window)
    page, gate = anna.page, anna.page.locator(".gate")
    for wire in (anna, ben):
        begin(wire.page, calls.url, "first look")
    for wire in (anna, ben):
        expect(wire.page.locator("#show")).to_be_focused()
        wire.tell(SNAP)
        assert wire.answered(1) == [{"type": "nosnap", "nonce": NONCE, "why": "camera"}]
        assert wire.posts == []
    expect(page.locator("#show")).to_be_focused()
    anna.tell(NUDITY)
    expect(gate.locator("h2")).to_have_text("This may be nudity.")
    expect(gate.locator("h2")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    hidden(page, True)
    anna.tell({**NUDITY, "on": False})
    expect(gate.locator("h2")).to_have_text("Someone is here")
    expect(page.locator(".curtain")).to_be_visible()
    for wire in (anna, ben):
        wire.page.click("#show")
    for wire in (anna, ben):
        hidden(wire.page, False)
        moving(wire.page)
    ben.page.click("#camera")
    expect(page.locator(".told")).to_have_text("Their camera is off.")
    for wire in (anna, ben):
        wire.tell(SNAP)
    assert (anna.posted(1), ben.posted(1)) == ([f"{NONCE}/mine"], [f"{NONCE}/theirs"])
    for wire in (anna, ben):
        assert wire.answered(2) == [{"type": "nosnap", "nonce": NONCE, "why": "camera"}] * 2


def test_a_veil_hides_them_at_once_and_after_a_reload_and_takes_no_key_that_was_meant_for_something_else(
    window: Opener, calls: Server
) -> None:
    anna, _ben = two(window, calls.url, "veil", lifts=True)
    page, gate = anna.page, anna.page.locator(".gate")
    hidden(page, False)
    page.click("#message")
    page.keyboard.type("hello")
    anna.tell(NUDITY)
    hidden(page, True)
    expect(gate).to_contain_text("This may be nudity.")
    expect(page.locator("#alarm")).to_have_text("This may be nudity.")
    expect(page.locator("#message")).to_be_focused()
    expect(page.locator(".fleeting")).to_be_hidden()
    expect(gate).to_contain_text("You neither see nor hear them. They may still see and hear you.")
    expect(page.locator("#theirs")).to_have_attribute("disablepictureinpicture", "true")
    picture(page, "video/veil-d")
    page.click("#show")
    hidden(page, False)
    expect(gate).to_have_count(0)
    assert page.locator("#theirs").get_attribute("disablepictureinpicture") is None
    anna.tell(NUDITY)
    hidden(page, True)
    gate.get_by_role("button", name="Report").click()
    expect(page.get_by_role("dialog")).to_contain_text("What is wrong?")
    opened(page, "#report")
    page.keyboard.press("Escape")
    gate.get_by_role("button", name="Report").focus()
    anna.tell({**NUDITY, "on": False})
    hidden(page, False)
    expect(gate).to_have_count(0)
    expect(page.locator("#message")).to_be_focused()  # what had the focus is gone
    anna.tell(NUDITY)
    hidden(page, True)
    page.wait_for_function("() => sessionStorage['serendip.talk']?.includes('\"veil\":true')")
    page.reload()
    expect(gate.locator("h2")).to_have_text("This may be nudity.")
    hidden(page, True)
    gate.get_by_role("button", name="Next person").click()
    expect(page.locator(".waiting")).to_be_visible()


def test_a_call_that_could_not_be_checked_ends_and_the_conversation_goes_on(window: Opener, calls: Server) -> None:
    wires = two(window, calls.url, "unchecked", lifts=True)
    anna, ben = (wire.page for wire in wires)
    log = anna.locator(".middle").element_handle()
    for wire in wires:
        wire.tell(UNCHECKED)
    for page in (anna, ben):
        expect(page.locator(".stage")).to_have_count(0)
        expect(page.locator(".divider").last).to_have_text("Video ended: its pictures could not be checked.")
        expect(page.locator("#message")).to_be_focused()
        page.wait_for_function(f"() => !({CAMERA})")
    assert anna.evaluate("(log) => log.isConnected", log)  # the log is the same one: it is not read again
    picture(anna, "video/unchecked-d")
    ben.fill("#message", "and now?")
    ben.press("#message", "Enter")
    expect(anna.locator(".line").last).to_contain_text("and now?")
    anna.wait_for_function("() => sessionStorage['serendip.talk']?.includes('\"hung\":true')")
    anna.reload()
    expect(anna.locator(".line").last).to_contain_text("and now?")
    expect(anna.locator(".divider").last).to_have_text("Video ended: its pictures could not be checked.")
    expect(anna.locator(".stage")).to_have_count(0)
    assert anna.evaluate("calls.length") == 0


@pytest.mark.parametrize("asks", [True, False], ids=["asked for", "not asked for"])
def test_who_reports_is_gone_at_once_and_what_the_stranger_showed_is_still_taken(
    window: Opener, calls: Server, asks: bool
) -> None:
    anna, ben = two(window, calls.url, f"reported {asks}", lifts=True)
    if asks:
        anna.page.evaluate(UNHURRIED)
    anna.asks = asks
    anna.page.click(".room .end .round")
    anna.page.get_by_role("button", name="Nudity or sexual content").click()
    expect(anna.page.locator(".stage")).to_have_count(0)
    expect(anna.page.locator("#meet")).to_be_focused()
    anna.page.wait_for_function(f"() => !({CAMERA})")
    expect(ben.page.locator(".stage")).to_have_count(0)
    assert [frame["type"] for frame in anna.said if frame["type"] in ("report", "leave", "nosnap")] == (
        ["report", "nosnap", "leave"] if asks else ["report", "leave"]
    )
    assert anna.posts == ([f"{NONCE}/theirs"] if asks else [])
    anna.page.wait_for_function("() => calls.at(-1).connectionState === 'closed'")
    if asks:
        assert anna.page.evaluate(COLORS, anna.bodies[0]) >= 3  # the false camera's picture, in each tile


def test_who_has_no_video_for_a_while_is_told_how_long_and_may_write(window: Opener, calls: Server) -> None:
    wire = wired(window, width=360, height=740)
    wire.refuse = {"type": "error", "code": "snaps", "of": "find", "message": "", "retry_after": 600}
    page = wire.page
    begin(page, calls.url, "refused")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("h2")).to_have_text(re.compile(r"^Video is off for you until .*\d\d:\d\d$"))
    expect(dialog.locator("h2")).to_be_focused()
    page.wait_for_function(f"() => !({CAMERA})")
    picture(page, "video/no-video-360")
    dialog.get_by_role("button", name="Text chat instead").click()
    expect(page.locator(".waiting")).to_be_visible()
    assert [(frame["mode"], "snaps" in frame) for frame in wire.of("find")] == [("video", True), ("text", False)]


def test_a_server_that_wants_pictures_of_a_page_that_does_not_know_is_told_of_to_the_person(
    window: Opener, calls: Server
) -> None:
    wire = wired(window, pictures=False)
    wire.refuse = {"type": "error", "code": "snaps", "of": "find", "message": ""}
    page = wire.page
    begin(page, calls.url, "unknown")
    expect(page.locator(".checked")).to_be_visible()
    wire.refuse = None
    page.click("#ready-go")
    expect(page.locator(".waiting")).to_be_visible()
    assert [frame.get("snaps") for frame in wire.of("find")] == [None, True]


def test_the_page_goes_on_moving_while_pictures_are_taken(window: Opener, calls: Server) -> None:
    """Prints what a look costs the page's main thread (run with -s)."""
    anna, _ben = two(window, calls.url, "cost", lifts=True)
    session = anna.page.context.new_cdp_session(anna.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU of the main thread, whatever else runs

    def worked(looks: int) -> tuple[float, list[float]]:
        """Milliseconds of the main thread in a second and a half, and the times between its frames."""
        metrics = [session.send("Performance.getMetrics")["metrics"]]
        if looks:
            anna.tell({**SNAP, "nonce": f"{NONCE[:-1]}{looks}"})
        times = anna.page.evaluate(
            """async () => {
              const times = [];
              for (const end = performance.now() + 1500; performance.now() < end;)
                times.push(await new Promise((done) => requestAnimationFrame(done)));
              return times.slice(1).map((time, at) => time - times[at]);
            }"""
        )
        metrics.append(session.send("Performance.getMetrics")["metrics"])
        before, after = ({row["name"]: row["value"] for row in found} for found in metrics)
        return (after["TaskDuration"] - before["TaskDuration"]) * 1000, sorted(times)

    rounds = 1  # four for figures: each is three seconds of a call
    worked(9)  # the module is fetched
    plain, looked = [worked(0) for _ in range(rounds)], [worked(look + 1) for look in range(rounds)]
    assert len(anna.posted(2 * rounds + 2)) == 2 * rounds + 2
    for name, found in (("without", plain), ("with", looked)):
        frames = sorted(time for _, times in found for time in times)
        work = sum(cost for cost, _ in found) / rounds
        print(
            f"\n{name} a look: {work:.1f} ms of the main thread in 1.5 s; frames p50 {frames[len(frames) // 2]:.1f}, "
            f"p99 {frames[len(frames) * 99 // 100]:.1f}, longest {frames[-1]:.1f} ms"
        )
