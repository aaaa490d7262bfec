"""With a keyboard alone, with an input method, on a phone's screen, by touch."""

from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, adult, lines, meet, opened, refuse
from tests.server.site.web.servers import Server


def tab_to(page: Page, selector: str, most: int = 30) -> None:
    """Press Tab until the control has the focus; fails where it cannot be reached."""
    for _ in range(most):
        if page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_from_the_first_visit_to_the_next_stranger_by_keys_alone(window: Opener, server: Server) -> None:
    anna, ben = window(server.url), adult(window())
    tab_to(anna, "#topics")
    anna.keyboard.type("keys alone")
    anna.keyboard.press("Enter")
    expect(anna.locator(".tag")).to_have_count(1)
    anna.keyboard.type("second,")
    expect(anna.locator(".tag")).to_have_count(2)
    anna.keyboard.press("Backspace")
    expect(anna.locator(".tag")).to_have_count(1)
    expect(anna.locator("#say")).to_have_text("second removed, 1 topic")
    tab_to(anna, "#topics")
    anna.keyboard.press("Enter")  # the empty field: start
    expect(anna.locator("#age h2")).to_be_focused()
    opened(anna, "#age")
    tab_to(anna, "#age-over")
    anna.keyboard.press("Enter")
    expect(anna.locator(".waiting h1")).to_be_focused()
    ben.goto(server.url)
    ben.fill("#topics", "keys alone,")
    ben.keyboard.press("Enter")
    expect(anna.locator("#message")).to_be_focused()
    anna.keyboard.type("first line")
    anna.keyboard.press("Shift+Enter")
    anna.keyboard.type("second line")
    anna.keyboard.press("Enter")
    expect(ben.locator(".bubble")).to_have_text("first line\nsecond line")
    tab_to(anna, ".send")
    tab_to(anna, "[aria-label=Report]")
    anna.keyboard.press("Enter")
    expect(anna.locator("#report h2")).to_be_focused()
    opened(anna, "#report")
    anna.keyboard.press("Escape")
    expect(anna.locator("#report")).to_have_count(0)
    expect(anna.locator("[aria-label=Report]")).to_be_focused()
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    expect(anna.locator("#meet")).to_be_focused()
    anna.keyboard.press("Enter")
    expect(anna.locator(".waiting h1")).to_be_focused()
    anna.keyboard.press("Escape")
    expect(anna.locator("#start-text")).to_be_focused()


def test_enter_anywhere_on_the_page_starts_and_a_settings_dialog_gives_the_focus_back(
    window: Opener, server: Server
) -> None:
    page = adult(window())
    page.goto(server.url)
    page.click("[aria-label=Settings]")
    expect(page.locator("#settings h2").first).to_be_focused()
    opened(page, "#settings")
    page.keyboard.press("Escape")
    expect(page.locator("[aria-label=Settings]")).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    expect(page.locator(".waiting")).to_be_visible()


def test_focus_does_not_move_for_a_message_a_banner_or_a_timer(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "still focus")
    tab_to(anna, "[aria-label=More]")
    for text in ("one", "two"):
        ben.fill("#message", text)
        ben.press("#message", "Enter")
    expect(anna.locator(".bubble")).to_have_count(2)
    expect(anna.locator("[aria-label=More]")).to_be_focused()


def test_an_input_method_never_sends_half_a_word(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "input method")
    anna.focus("#message")
    session = anna.context.new_cdp_session(anna)
    session.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    # The Enter that ends a composition: the browser marks it (229, isComposing); Safari sends it after the end, as 229.
    session.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    anna.evaluate(
        """() => document.querySelector('#message').dispatchEvent(
          new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"""
    )
    anna.evaluate(
        """() => document.querySelector('#message').dispatchEvent(
          new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    anna.evaluate(
        """() => document.querySelector('#message').dispatchEvent(
          new KeyboardEvent('keydown', {key: 'Escape', isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(anna.locator(".leave")).to_contain_text("Leave")
    session.send("Input.insertText", {"text": "日本"})
    assert lines(anna) == []
    anna.keyboard.press("Enter")
    expect(ben.locator(".bubble")).to_have_text("日本")


def test_a_topic_with_an_input_method_is_added_whole(window: Opener, server: Server) -> None:
    page = adult(window())
    page.goto(server.url)
    page.focus("#topics")
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "パン", "selectionStart": 2, "selectionEnd": 2})
    page.evaluate(
        """() => document.querySelector('#topics').dispatchEvent(
          new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(page.locator(".tag")).to_have_count(0)
    session.send("Input.insertText", {"text": "パン作り"})
    page.keyboard.press("Enter")
    expect(page.locator(".tag")).to_have_text("パン作り")


def test_on_a_phone_the_field_is_not_focused_by_itself_and_a_keyboard_leaves_room(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "phone", width=360, height=740, has_touch=True, is_mobile=True)
    for page in (anna, ben):
        expect(page.locator("h1")).to_be_focused()
    for number in range(4):
        ben.fill("#message", f"line {number} that is long enough to fill more than a single row of a phone")
        ben.tap(".send")
    expect(anna.locator(".line")).to_have_count(4)
    anna.tap("#message")
    anna.set_viewport_size({"width": 360, "height": 400})  # the keyboard is open: the layout shrinks
    expect(anna.locator(".line").last).to_be_in_viewport()
    expect(anna.locator(".send")).to_be_in_viewport(ratio=1)
    expect(anna.locator(".leave")).to_be_in_viewport(ratio=1)
    assert anna.evaluate("document.scrollingElement.scrollHeight <= innerHeight")


def test_an_old_phone_that_moves_the_page_is_put_back(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url, "old phone", width=360, height=740, has_touch=True, is_mobile=True)
    anna.evaluate(
        """() => {
          Object.defineProperty(visualViewport, 'height', {value: 420, configurable: true});
          visualViewport.dispatchEvent(new Event('resize'));
        }"""
    )
    expect(anna.locator(".room")).to_have_css("height", "420px")


def test_an_unsent_line_comes_back_with_the_up_key(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url, "recall")
    refuse(anna, "slipped away", "slow")
    expect(anna.locator(".state.bad")).to_contain_text("Not sent.")
    anna.focus("#message")
    anna.keyboard.press("ArrowUp")
    expect(anna.locator("#message")).to_have_value("slipped away")
    expect(anna.locator(".state.bad")).to_have_count(0)
