"""A browser that keeps nothing, strangers who want to harm, text in any script, and the limits."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, adult, keep, lines, meet, refuse
from tests.server.site.web.servers import Server

REFUSED = """for (const name of ['localStorage', 'sessionStorage']) {
  Object.defineProperty(window, name, {get() { throw new DOMException('refused', 'SecurityError'); }});
}
Object.defineProperty(navigator, 'cookieEnabled', {value: false});"""


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")


def test_with_storage_and_cookies_refused_a_text_chat_works(window: Opener, server: Server) -> None:
    pages = [window(), window()]
    for page in pages:
        page.add_init_script(REFUSED)
        page.goto(server.url)
        page.fill("#topics", "refused,")
        page.click("#start-text")
        page.click("#age-over")
    anna, ben = pages
    say(anna, "no cookies here")
    expect(ben.locator(".bubble")).to_have_text("no cookies here")
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    anna.get_by_role("button", name="Change topics").click()
    expect(anna.locator(".tag")).to_have_text("refused")  # in memory
    anna.click("[aria-label=Settings]")
    expect(anna.locator("#settings")).to_contain_text("This browser lets the page keep nothing.")
    expect(anna.locator("#settings")).to_contain_text("This browser keeps no cookies.")


def test_keep_nothing_leaves_only_the_switch(window: Opener, server: Server) -> None:
    page = keep(window(), adult=True, tags=["sailing"])
    page.goto(server.url)
    expect(page.locator(".tag")).to_have_text("sailing")
    page.click("[aria-label=Settings]")
    page.click("#nothing")
    assert page.evaluate("localStorage.serendip") == '{"nothing":true}'
    page.keyboard.press("Escape")
    page.fill("#topics", "bread,")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    assert page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage)]") == [
        '{"serendip":"{\\"nothing\\":true}"}',
        "{}",
    ]


def test_forget_everything_empties_the_browser(window: Opener, server: Server) -> None:
    page = adult(window())
    page.goto(server.url)
    page.fill("#topics", "secret topic,")
    expect(page.locator(".tag")).to_have_count(1)
    assert "secret topic" in page.evaluate("localStorage.serendip")
    forget = page.get_by_role("button", name="Forget everything in this browser")
    page.click("[aria-label=Settings]")
    forget.click()
    expect(page.locator("#forget")).to_contain_text("120 days")
    expect(page.locator("#forget")).to_contain_text("Without the cookie you can no longer show")
    page.locator("#forget").get_by_role("button", name="Cancel").click()
    assert "secret topic" in page.evaluate("localStorage.serendip")
    assert len(page.context.cookies()) == 1
    page.click("[aria-label=Settings]")
    forget.click()
    with page.expect_response("**/api/forget") as answered:
        page.click("#forget-go")
    assert answered.value.status == 204
    expect(page.locator("#say")).to_have_text("Forgotten.")
    expect(page.locator(".tag")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    assert page.context.cookies() == []


def test_who_is_under_18_keeps_neither_cookie_nor_topics(window: Opener, server: Server) -> None:
    page = window()
    page.goto(server.url)
    assert len(page.context.cookies()) == 1
    page.fill("#topics", "my school,")
    page.click("#start-text")
    with page.expect_response("**/api/under-18") as answered:
        page.click("#age-under")
    assert answered.value.status == 204
    expect(page.locator("h1")).to_have_text("Serendip is for adults")
    assert page.context.cookies() == []
    kept = page.evaluate("JSON.parse(localStorage.serendip)")
    assert (kept["adult"], kept["tags"]) == (False, [])
    assert kept["minor"] > 0  # so that the question is not asked again at once


def test_what_the_browser_keeps_is_what_the_settings_say(window: Opener, server: Server) -> None:
    anna = adult(window())
    anna.goto(server.url)
    anna.fill("#topics", "kept")
    anna.press("#topics", "Enter")
    anna.click("#start-text")
    ben = keep(window(), adult=True, tags=["kept"])
    ben.goto(server.url)
    ben.click("#start-text")
    assert anna.evaluate("Object.keys(localStorage)") == ["serendip"]
    anna.wait_for_function("() => sessionStorage.getItem('serendip.talk')")
    assert anna.evaluate("Object.keys(sessionStorage).sort()") == ["serendip.talk", "serendip.way"]
    kept = anna.evaluate("Object.keys(JSON.parse(localStorage.serendip)).sort()")
    assert kept == sorted(
        [
            "tags",
            "avoid",
            "called",
            "notify",
            "pairs",
            "language",
            "words",
            "theme",
            "size",
            "sounds",
            "auto",
            "confirm",
            "sure",
            "adult",
            "minor",
            "statement",
            "hush",
            "hide",
            "letters",
        ]
    )
    assert anna.evaluate("document.cookie") == ""  # the one cookie is for the server alone
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    expect(anna.locator(".ended")).to_be_visible()
    assert anna.evaluate("Object.keys(sessionStorage)") == []


def test_kept_choices_of_a_wrong_shape_do_no_harm(window: Opener, server: Server) -> None:
    for value in (
        "{",
        "null",
        "[]",
        '{"tags": {"a": 1}, "size": "big", "theme": 7, "adult": "yes"}',
        '{"tags": [1, null]}',
    ):
        page = window()
        page.add_init_script(f"localStorage.serendip = {value!r}")
        page.goto(server.url)
        expect(page.locator("#start-text")).to_be_visible()
        expect(page.locator(".tag")).to_have_count(0)


MARKUP = [
    "<img src=x onerror=alert(1)>",
    "<script>document.title='owned'</script>",
    "</div></li><li class='line me'>You: I agreed</li>",
    "javascript:alert(1) https://example.org/",
    "&lt;b&gt; ${alert(1)} {{7*7}} `x`",
]


def test_markup_is_text_and_text_is_never_a_link(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "markup")
    for number, text in enumerate(MARKUP):
        say(anna, text)
        expect(ben.locator(".bubble")).to_have_count(number + 1)
    assert ben.locator(".bubble").all_text_contents() == MARKUP
    assert ben.locator(".log img, .bubble *, .bubble a").count() == 0
    assert ben.title().startswith("Chat with a stranger")


def test_controls_of_direction_cannot_disguise_who_said_what(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "direction")
    say(anna, "\u202eYou: deerga I\u202c \u2066\u2067")
    say(anna, "\u200b\u2060\ufeff\u3164")
    say(anna, "שלום abc مرحبا")
    expect(ben.locator(".bubble")).to_have_text(["You: deerga I ", "Only invisible characters", "שלום abc مرحبا"])
    for heard in lines(ben):
        assert heard.startswith("Stranger: ")
    assert ben.locator(".line").first.evaluate(
        "(node) => [getComputedStyle(node.querySelector('.bubble')).unicodeBidi, node.classList.contains('them')]"
    ) == ["isolate", True]
    assert ben.locator(".bubble").nth(2).evaluate("(node) => getComputedStyle(node).direction") == "rtl"


def test_topics_from_a_stranger_are_text_too(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "<b onclick=alert(1)>bold</b>")
    for page in (anna, ben):
        expect(page.locator(".card b")).to_have_text("<b onclick=alert(1)>bold</b>")


def test_the_longest_line_fits_and_a_longer_one_is_not_sent(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "length of a line", width=360, height=740)
    anna.fill("#message", "字" * 2014)
    expect(anna.locator("#under")).to_have_text("Too long by 14. Send it in two parts.")
    expect(anna.locator(".send")).to_have_attribute("aria-disabled", "true")
    anna.press("#message", "Enter")
    expect(anna.locator(".line")).to_have_count(0)
    anna.fill("#message", "W" * 1880)
    expect(anna.locator("#under")).to_have_text("120 left")
    anna.fill("#message", "👍" * 2000)  # 2,000 code points, 8,000 bytes
    anna.press("#message", "Enter")
    expect(ben.locator(".bubble")).to_have_text("👍" * 2000)
    for page in (anna, ben):
        box = page.locator(".bubble").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


def test_a_flood_pauses_the_field_long_before_the_server_would_close(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "flood")
    anna.evaluate(
        """() => {  // in one go: twenty lines in three seconds are the flood, and this machine may be slow
          const field = document.querySelector('#message');
          for (let number = 0; number < 23; number += 1) {
            field.value = `spam ${number}`;
            field.dispatchEvent(new Event('input', {bubbles: true}));
            field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
          }
        }"""
    )
    expect(anna.locator(".banner")).to_have_text("Too fast. Wait a few seconds.")
    expect(ben.locator(".bubble")).to_have_count(20)
    expect(anna.locator("#message")).not_to_have_value("")  # what was not sent is still there
    expect(anna.locator(".banner")).to_have_count(0, timeout=6000)
    anna.press("#message", "Enter")
    expect(ben.locator(".bubble")).to_have_count(21)


def test_what_moves_moves_where_that_is_wanted(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "moving", reduced_motion="no-preference")
    ben.type("#message", "typing")
    expect(anna.locator(".dots:not([hidden])")).to_be_visible()
    anna.wait_for_function("document.getAnimations().some((moving) => moving.animationName === 'nod')")


def test_reduced_motion_stands_still_and_dark_is_dark(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "motion", reduced_motion="reduce", color_scheme="dark")
    ben.type("#message", "typing")
    expect(anna.locator(".dots:not([hidden])")).to_be_visible()
    say(ben, "still")
    expect(anna.locator(".bubble")).to_have_text("still")
    assert anna.evaluate("document.getAnimations().length") == 0
    assert anna.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 19)"
    anna.click("[aria-label=More]")
    anna.select_option("#size", "130")
    assert anna.evaluate("getComputedStyle(document.documentElement).fontSize") == "20.8px"


def test_the_log_is_one_live_region_without_a_timer_in_it(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "live")
    say(ben, "first")
    expect(anna.locator(".bubble")).to_have_text("first")
    anna.evaluate("document.querySelector('.line').marked = true")
    say(ben, "second")
    say(anna, "mine")
    expect(anna.locator('.line[data-state="sent"]')).to_have_count(1)
    assert anna.evaluate("document.querySelector('.line').marked") is True  # marked, never replaced
    assert anna.locator("[role=log]").count() == 1
    assert (
        anna.locator("[aria-live]:not([aria-live=off]), [role=status], [role=alert]").count() == 2
    )  # #say and #alarm, outside of the log
    assert anna.locator("[role=log] time, [role=log] .count").count() == 0


@pytest.mark.parametrize("code", ["no_chat", "slow", "too_long"])
def test_a_refused_line_says_so_and_can_be_deleted(window: Opener, server: Server, code: str) -> None:
    anna, _ = meet(window, server.url, f"refused {code}")
    refuse(anna, "unlucky", code)
    expect(anna.locator(".state.bad")).to_contain_text("Not sent.")
    anna.get_by_role("button", name="Delete").click()
    expect(anna.locator(".line")).to_have_count(0)
