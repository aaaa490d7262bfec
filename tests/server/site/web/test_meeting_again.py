"""Four windows: two who liked each other meet again by a call, and the strangers beside them meet each other."""

from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, keep, meet, opened
from tests.server.site.web.servers import Server
from tests.server.site.web.test_two_windows import say
from tests.support.pictures import picture


def kept(page: Page) -> int:
    """How many pairs the browser keeps."""
    return int(page.evaluate("(JSON.parse(localStorage.serendip ?? '{}').pairs ?? []).length"))


def home(page: Page) -> None:
    page.get_by_role("button", name="Change topics").click()
    expect(page.locator("#start-text")).to_be_visible()


def befriended(window: Opener, server: Server, topic: str) -> tuple[Page, Page, list[str]]:
    """Two who both pressed it, at home again, and the names by which they know each other."""
    anna, ben = meet(window, server.url, topic)
    names = [page.locator(".bar h1").inner_text() for page in (anna, ben)]
    say(anna, "this was lovely")
    expect(ben.locator(".line.them")).to_have_count(1)
    anna.get_by_role("button", name="More", exact=True).click()
    anna.locator("#more #keep").click()
    expect(anna.locator("#more .keeping")).to_have_text("Noted. You hear of it only if they want it too.")
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    for page in (anna, ben):
        expect(page.locator(".divider.over")).to_be_visible()
    assert (kept(anna), kept(ben)) == (0, 0)
    ben.locator(".deck #keep").click()
    for page, name in zip((anna, ben), names, strict=True):
        expect(page.locator(".keeping")).to_contain_text(f"This browser keeps {name} for 120 days")
        page.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 1")
    picture(ben, "pairs-kept")
    for page in (anna, ben):
        home(page)
    return anna, ben, names


def test_two_meet_again_while_two_strangers_search(window: Opener, server: Server) -> None:
    anna, ben, names = befriended(window, server, "meeting again")
    ben.click("#start-text")
    expect(ben.locator(".waiting")).to_be_visible()
    anna.reload()
    expect(anna.locator(".pairs h2")).to_have_text("Someone you liked is here")
    expect(anna.locator(".pairs li")).to_contain_text(names[0])
    picture(anna, "pairs-home")
    anna.get_by_role("button", name=f"Call {names[0]}").click()
    expect(anna.locator("h1")).to_have_text("Calling someone you liked")
    expect(ben.locator(".calls")).to_contain_text(f"{names[1]} is here and would like to talk.")
    expect(ben.locator("#say")).to_have_text(f"{names[1]} is here and would like to talk.")
    picture(anna, "pairs-calling")
    picture(ben, "pairs-called")
    strangers = [keep(window(), adult=True, tags=["beside them"]) for _ in range(2)]
    for page in strangers:
        page.goto(server.url)
        page.click("#start-text")
    for page in strangers:
        expect(page.locator("#message")).to_be_visible()
    ben.get_by_role("button", name="Talk", exact=True).click()
    for page, name in zip((anna, ben), names, strict=True):
        expect(page.locator(".bar h1")).to_have_text(name)
    say(anna, "it is you")
    expect(ben.locator(".line.them .bubble")).to_have_text("it is you")
    assert (kept(anna), kept(ben)) == (1, 1)


def test_who_declines_says_nothing_and_who_waited_meets_somebody_new(window: Opener, server: Server) -> None:
    anna, ben, names = befriended(window, server, "declining")
    ben.click("#start-text")
    expect(ben.locator(".waiting")).to_be_visible()
    anna.reload()
    anna.get_by_role("button", name=f"Call {names[0]}").click()
    ben.get_by_role("button", name="Not now").click()
    expect(ben.locator(".calls")).to_have_count(0)
    expect(ben.locator("h1")).to_be_focused()
    expect(anna.locator("h1")).to_have_text("Calling someone you liked")
    ben.get_by_role("button", name="Stop").click()
    anna.get_by_role("button", name="Meet someone new").click()
    expect(anna.locator("h1")).not_to_have_text("Calling someone you liked")


def test_the_settings_list_them_and_forget_each_and_a_block_forgets_too(window: Opener, server: Server) -> None:
    anna, ben, names = befriended(window, server, "forgetting")
    anna.get_by_role("button", name="Settings").click()
    expect(anna.locator("ul.pairs li")).to_contain_text(names[0])
    picture(anna, "pairs-settings")
    anna.get_by_role("button", name=f"Forget {names[0]}").click()
    expect(anna.locator("ul.pairs")).to_have_count(0)
    assert (kept(anna), kept(ben)) == (0, 1)
    carl, dora = meet(window, server.url, "blocking")
    say(carl, "hello")
    for page in (carl, dora):
        page.get_by_role("button", name="More", exact=True).click()
        page.locator("#more #keep").click()
    carl.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 1")
    carl.locator("#more #block").click()
    carl.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 0")


def test_another_tab_neither_loses_a_pair_nor_brings_one_back(window: Opener, server: Server) -> None:
    page = keep(window(), adult=True)
    page.goto(server.url)
    stored = "() => JSON.parse(localStorage.serendip).pairs"
    for pairs in (["token 9999999999 1"], []):  # another tab keeps one, and forgets it
        page.evaluate("(pairs) => { localStorage.serendip = JSON.stringify({adult: true, pairs}); }", pairs)
        page.get_by_role("button", name="Settings").click()
        opened(page, "#settings")
        page.get_by_role("switch", name="Ask before the next stranger").click()
        page.wait_for_function("() => 'sure' in JSON.parse(localStorage.serendip)")
        assert page.evaluate(stored) == pairs
        page.keyboard.press("Escape")
        if pairs:
            page.reload()
            page.wait_for_selector("#start-text")


BLOCKED = """async (token) => {
  const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
  globalThis.avoided = () => store.get().prefs.avoid.join(' ');
  store.subscribe(({ prefs }) => (globalThis.fewest = Math.min(globalThis.fewest ?? 99, prefs.avoid.length)));
  if (token) store.send('frame', {frame: {type: 'blocked', token, until: 9999999999}});
}"""


def test_two_tabs_avoid_the_users_that_either_blocked(window: Opener, server: Server) -> None:
    first = keep(window(), adult=True)
    tabs = [first, first.context.new_page()]
    for page in tabs:
        page.goto(server.url)
        page.get_by_role("button", name="Settings").click()  # what decides it is loaded then
        opened(page, "#settings")
        page.evaluate(BLOCKED, None)
    tabs[1].evaluate(BLOCKED, "one")
    for page in tabs:
        page.wait_for_function("() => avoided() === 'one'")
    tabs[0].evaluate(BLOCKED, "two")
    for page in tabs:
        page.wait_for_function("() => avoided() === 'one two'")
    assert first.evaluate("JSON.parse(localStorage.serendip).avoid") == ["one", "two"]
    tabs[1].evaluate("localStorage.serendip = JSON.stringify({ nothing: true })")  # keeps nothing from now on
    tabs[1].evaluate("localStorage.serendip = JSON.stringify({ avoid: ['one', 'two', 'three'] })")
    first.wait_for_function("() => avoided() === 'one two three'")
    assert first.evaluate("fewest") > 0, "the other tab's choice to keep nothing is not this tab's"


def test_without_storage_it_is_not_offered(window: Opener, server: Server) -> None:
    other, page = (keep(window(), adult=True, tags=["no storage"]) for _ in range(2))
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('refused') }")
    for one in (page, other):
        one.goto(server.url)
        one.click("#start-text")
    expect(page.locator("#message")).to_be_visible()
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator("#more #block")).to_be_visible()
    expect(page.locator("#more #keep")).to_have_count(0)


def test_without_cookies_it_is_not_offered(window: Opener, server: Server) -> None:
    page = keep(window(), adult=True, tags=["no cookies"])
    page.add_init_script("Object.defineProperty(navigator, 'cookieEnabled', {get: () => false})")
    other = keep(window(), adult=True, tags=["no cookies"])
    for one in (page, other):
        one.goto(server.url)
        one.click("#start-text")
    expect(page.locator("#message")).to_be_visible()
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator("#more #block")).to_be_visible()
    expect(page.locator("#more #keep")).to_have_count(0)
