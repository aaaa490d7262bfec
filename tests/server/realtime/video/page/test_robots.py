"""A window calls programs: one of the native protocol, one of Omegle's; both sides receive moving pictures and sound."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.server.realtime.video.page.conftest import PAIR, begin, changing, moving, prepare
from tests.server.realtime.video.page.robots import Robots
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]  # aiortc's dependencies
ENOUGH = 8  # pictures and packets of sound: it goes on. Of pictures there are five a second


@pytest.fixture
def robots() -> Iterator[Robots]:
    """A thread for them."""
    made = Robots()
    yield made
    made.close()


def until(page_wait: Callable[[float], None], true: Callable[[], bool]) -> None:
    """Wait for what another thread counts; the page goes on meanwhile."""
    for _ in range(200):
        if true():
            return
        page_wait(100)  # counts have no event
    raise AssertionError("it did not come")


@pytest.mark.parametrize("relay", [False, True])
@pytest.mark.parametrize("first", ["window", "program"])
def test_a_window_and_a_program_of_the_native_protocol_see_each_other(
    window: Opener, calls: Server, robots: Robots, relay: bool, first: str
) -> None:
    page = prepare(window, lifts=True)
    topic = f"robot {relay} {first}"
    robot = robots.native(calls.port)
    if first == "window":
        begin(page, calls.url, topic)
    met = robots.begin(robot.meet(topic, relay))
    if first == "program":
        begin(page, calls.url, topic)
    expect(page.locator("#theirs")).to_be_attached()
    moving(page)
    changing(page)
    call = met.result(30)
    until(page.wait_for_timeout, lambda: call.counts.pictures >= ENOUGH and call.counts.sounds >= ENOUGH)
    assert (page.evaluate(PAIR) == ["relay", "relay"]) is relay
    picture(page, "video/robot-d")
    robots.do(robot.close())
    expect(page.locator(".divider.over")).to_have_text("The stranger left")


@pytest.mark.parametrize("first", ["window", "program"])
def test_a_window_and_a_program_of_omegle_s_protocol_see_each_other(
    window: Opener, calls: Server, robots: Robots, first: str
) -> None:
    page = prepare(window, lifts=True)
    topic = f"omegle {first}"
    robot = robots.omegle(calls.port)
    if first == "program":
        robots.do(robot.start(topic))
    begin(page, calls.url, topic)
    if first == "window":
        robots.do(robot.start(topic))
    expect(page.locator("#theirs")).to_be_attached()
    moving(page)
    changing(page)
    until(page.wait_for_timeout, lambda: robot.pictures >= ENOUGH and robot.sounds >= ENOUGH)
    assert set(robot.answers) == {"win"}
    names = [event[0] for event in robot.heard]
    assert names.count("rtcpeerdescription") == 1
    assert names.count("icecandidate") >= 1
    assert names.count("rtccall") <= 1
    page.fill("#message", "you look well")
    page.press("#message", "Enter")
    until(page.wait_for_timeout, lambda: ["gotMessage", "you look well"] in robot.heard)
    page.click("#hangup")
    page.click("#hangup")
    robots.do(robot.ended.wait())
    robots.do(robot.close())
