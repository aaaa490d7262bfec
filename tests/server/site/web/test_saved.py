"""A chat saved from the page: what is said before, the two links, and the page that needs no script. And the statement."""

from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Site, Watch, keep, meet
from tests.server.site.web.servers import Server
from tests.server.site.web.test_gallery import AXE, FINDINGS, SIDEWAYS, SMALL
from tests.support.pictures import picture


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")


def test_a_chat_is_saved_after_its_end_and_read_without_script(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "saving")
    say(anna, "worth keeping <b>")
    expect(ben.locator(".bubble")).to_have_text("worth keeping <b>")
    ben.click(".leave")
    ben.click(".leave")
    anna.get_by_role("button", name="Save chat").click()
    expect(anna.locator("#save")).to_contain_text("Everyone with the link can read the text")
    anna.get_by_role("button", name="Save and get the link").click()
    expect(anna.locator("#saved-link")).to_be_focused()
    url = anna.locator("#saved-link").input_value()
    remove = anna.locator("#saved-delete").input_value()
    assert url.startswith(server.url)
    assert remove.startswith(server.url)
    assert anna.get_by_role("link", name="Open").get_attribute("href") == url
    assert anna.get_by_role("link", name="Open").count() == 1  # not for the link that deletes
    reader = window(java_script_enabled=False)
    reader.goto(url)
    expect(reader.locator("body")).to_contain_text("worth keeping <b>")
    expect(reader.locator("h1")).to_have_count(1)
    anna.get_by_role("button", name="Copy").first.click()
    anna.keyboard.press("Escape")
    expect(anna.locator("#save")).to_have_count(0)
    anna.get_by_role("button", name="Save chat").click()
    expect(anna.locator("#saved-link")).to_have_value(url)  # once saved, the links stay at hand


def test_a_chat_is_saved_from_its_menu_while_it_goes_on(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "saving midway")
    say(anna, "so far")
    expect(ben.locator(".bubble")).to_have_text("so far")
    ben.get_by_role("button", name="More").click()
    ben.get_by_role("button", name="Save this chat").click()
    ben.get_by_role("button", name="Save and get the link").click()
    expect(ben.locator("#saved-link")).to_be_visible()
    ben.get_by_role("button", name="Close").click()
    say(ben, "and on")
    expect(anna.locator(".bubble")).to_have_text(["so far", "and on"])


def test_either_of_the_two_removes_a_saved_chat_in_the_browser_it_was_had_in(window: Opener, server: Server) -> None:
    for which in (0, 1):
        two = meet(window, server.url, f"removing {which}")
        say(two[0], "to be removed")
        expect(two[1].locator(".bubble")).to_have_text("to be removed")
        two[0].get_by_role("button", name="More").click()
        two[0].get_by_role("button", name="Save this chat").click()
        two[0].get_by_role("button", name="Save and get the link").click()
        url = two[0].locator("#saved-link").input_value()
        reader = two[which].context.new_page()
        reader.goto(url)
        reader.get_by_role("link", name="Ask for removal").click()
        reader.get_by_role("button", name="Remove it").click()
        expect(reader.locator("main")).to_contain_text("The log was removed.")
        answer = reader.request.get(url)
        assert answer.status == 404


def test_the_documents_around_a_saved_chat_are_accessible(window: Opener, server: Server, watch: Watch) -> None:
    watch.quiet = ("status of 404",)  # one of the documents says that there is no such log
    anna, ben = meet(window, server.url, "documents")
    say(anna, "مرحبا <b>")
    expect(ben.locator(".bubble")).to_have_text("مرحبا <b>")
    anna.get_by_role("button", name="More").click()
    anna.get_by_role("button", name="Save this chat").click()
    anna.get_by_role("button", name="Save and get the link").click()
    pages = [anna.locator(f"#saved-{which}").input_value() for which in ("link", "delete")]
    documents = {
        "saved": pages[0],
        "saved-remove": pages[1],
        "saved-gone": pages[0][:-1] + ("a" if pages[0][-1] != "a" else "b"),
        "privacy": f"{server.url}privacy",
    }
    wrong: list[str] = []
    for width, touch, theme in (
        (320, True, "light"),
        (360, True, "dark"),
        (1280, False, "light"),
        (1280, False, "dark"),
    ):
        reader = window(width=width, height=740, has_touch=touch, color_scheme=theme)
        for name, url in documents.items():
            reader.goto(url)
            picture(reader, f"gallery/document-{name}-{width}-{theme}", whole=name != "privacy")
            assert reader.locator("h1").count() == 1
            reader.evaluate(AXE)
            found = reader.evaluate(FINDINGS) + reader.evaluate(SIDEWAYS) + reader.evaluate(SMALL, 44 if touch else 24)
            wrong += [f"{url} at {width}: {problem}" for problem in found]
    assert not wrong, "\n".join(wrong)


def test_who_comes_back_is_told_that_the_statement_has_changed(window: Opener, site: Site) -> None:
    page = keep(window(), adult=True, statement=1)
    page.route("**/api/config", lambda route: route.fulfill(json={"modes": ["text"], "age": "ask", "privacy": 2}))
    page.route_web_socket("**/ws", lambda _socket: None)  # there is no chat in this test; the socket stays silent
    page.goto(site.url)
    expect(page.locator(".banner")).to_contain_text("The privacy statement has changed since you were here.")
    expect(page.get_by_role("link", name="Read it")).to_have_attribute("href", "/privacy")
    page.get_by_role("button", name="OK").click()
    expect(page.locator(".banner")).to_have_count(0)
    assert page.evaluate("JSON.parse(localStorage.serendip).statement") == 2
    page.reload()
    expect(page.locator("#start-text")).to_be_visible()
    expect(page.locator(".banner")).to_have_count(0)


def test_who_keeps_nothing_is_told_of_an_announced_statement_before_it_holds(window: Opener, site: Site) -> None:
    page = window()
    config = {"modes": ["text"], "age": "ask", "privacy": 3002, "statement": {"version": "3.2", "from": 1_800_000_000}}
    page.route("**/api/config", lambda route: route.fulfill(json=config))
    page.route_web_socket("**/ws", lambda _socket: None)
    page.goto(site.url)
    expect(page.locator(".banner")).to_contain_text("The privacy statement will change soon.")
    expect(page.get_by_role("link", name="Read it")).to_have_attribute("href", "/privacy")
    page.get_by_role("button", name="OK").click()
    expect(page.locator(".banner")).to_have_count(0)
