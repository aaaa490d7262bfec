"""Students meet by video as by text: the proof goes through the ready screen, and each sees where the other studies."""

# ruff: noqa: F811 - fixtures are named as the argument that takes them

import pytest
from playwright.sync_api import Page, expect

from tests.server.realtime.video.page.conftest import moving, prepare
from tests.server.site.college.conftest import Box, box, code_of, school  # noqa: F401 - fixtures
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server
from tests.server.site.web.test_other_ways import prove
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)


def student(window: Opener, box: Box, url: str, address: str) -> Page:
    """A window whose person has proved a college, with the dialog open."""
    page = prepare(window)
    page.goto(url)
    page.fill("#college-code", code_of(prove(page, box, address)))
    page.press("#college-code", "Enter")
    expect(page.locator("dialog")).to_contain_text("You are in:")
    return page


def test_students_meet_by_video(window: Opener, school: Server, box: Box) -> None:
    one, two = (student(window, box, school.url, f"video@{college}") for college in ("uio.no", "mit.edu"))
    picture(one, "video/college-d")
    for page in (one, two):
        page.click("#college-video")
        expect(page.locator("h1")).to_have_text("Check your picture")
        expect(page.locator("#ready-go")).not_to_have_attribute("aria-disabled", "true")
    one.click("#ready-go")
    expect(one.locator("h1")).to_have_text("Looking for a student from any college")
    two.click("#ready-go")
    expect(two.locator(".gate")).to_contain_text("They study at uio.no.")
    expect(one.locator(".gate")).to_contain_text("They study at mit.edu.")
    for page in (one, two):
        page.click("#show")
    for page in (one, two):
        moving(page)
    picture(one, "video/college-call-d")
    one.click("#next")
    expect(one.locator("h1")).to_have_text("Looking for a student from any college")  # the next is a student too


def test_a_student_without_a_camera_goes_on_by_text_among_students(window: Opener, school: Server, box: Box) -> None:
    page = prepare(window)
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
        "navigator.permissions.query = async () => ({state: 'denied'});"
    )
    page.goto(school.url)
    page.fill("#college-code", code_of(prove(page, box, "text@uio.no")))
    page.press("#college-code", "Enter")
    page.click("#college-video")
    page.get_by_role("button", name="Text chat instead").click()
    expect(page.locator("h1")).to_have_text("Looking for a student from any college")
