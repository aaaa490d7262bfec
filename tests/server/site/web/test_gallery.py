"""The gallery: every state of every screen at two sizes and two themes, checked, and kept as pictures where they are wanted and where it is wrong.

What is checked in each: axe-core without a finding, one h1, no sideways scrolling at 320 px, on a phone on its side and at 150 % text, targets
of 44 px under a finger and 24 under a mouse. The dark theme changes colours alone, so there it is their contrast.
Pictures: tests/out/gallery/, to be looked at by a person (`make pictures`).
"""

from collections.abc import Sequence
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page

from server.http.words.catalogue import languages
from tests.server.site.web.conftest import Site, Watch
from tests.support.pictures import WANTED, picture

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
SIZES = {"phone": (360, 740, True), "desktop": (1280, 800, False)}
# Where colours are the system's the layout is the same: a few of each kind are enough.
LOOKED_AT = ("home-back", "age", "waiting-any", "chat-refused", "chat-armed", "ended-count", "report-note", "settings")
MAIN = ("home-ways", "waiting-any", "chat", "ended-stranger", "ready-preview", "call-picture", "watch", "settings")
KEPT = {
    *LOOKED_AT,
    *MAIN,
}  # of other widths, scripts and directions a picture of each kind is kept, and of all that is wrong
FINDINGS = """axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations.map(
    (found) => `${found.id}: ${found.nodes.map((node) => node.target + ' ' + node.failureSummary).join(' | ')}`))"""
# Controls that are too small, by the size of what reacts: the area of a pseudo-element counts for its control.
SMALL = """(least) => {
  const reach = (node) => {
    const box = node.getBoundingClientRect();
    const more = ['::before', '::after'].map((part) => getComputedStyle(node, part))
      .filter((style) => style.content !== 'none' && style.position === 'absolute' && style.inset.includes('-'));
    const grow = (side) => Math.max(0, ...more.map((style) => -parseFloat(style[side]) || 0));
    return [box.width + grow('left') + grow('right'), box.height + grow('top') + grow('bottom')];
  };
  const scope = document.querySelector('dialog[open]') ?? document;
  return [...scope.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')]
    .filter((node) => node.checkVisibility() && !node.closest('p, td'))  // WCAG 2.5.8 excepts links within text
    .map((node) => [node, reach(node)])
    .filter(([, [width, height]]) => width < least - 0.5 || height < least - 0.5)
    .map(([node, [width, height]]) => `${node.outerHTML.slice(0, 90)} ${Math.round(width)}x${Math.round(height)}`);
}"""
# What scrolls sideways, and what is cut off at the side where nothing can be scrolled.
SIDEWAYS = """() => [
  ...[document.scrollingElement, ...document.querySelectorAll('.middle, dialog[open]')]
    .filter((node) => node.scrollWidth > node.clientWidth + 1)
    .map((node) => `${node.className || node.tagName} scrolls to ${node.scrollWidth}`),
  ...[...document.querySelectorAll('#app *')]
    .filter((node) => node.checkVisibility() && !node.closest('svg, .hush, [data-blurred] img, dialog:not([open])'))
    .map((node) => [node, node.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.right > innerWidth + 1 || box.left < -1))
    .map(([node, box]) => `${node.outerHTML.slice(0, 60)} from ${Math.round(box.left)} to ${Math.round(box.right)}`),
]"""
# Pixels between the words of a start button and its edge, the least of all.
ROOM = """() => Math.min(...[...document.querySelectorAll('.starts .button')].flatMap((button) => {
  const range = document.createRange();
  range.selectNodeContents(button);
  const [words, edge] = [range, button].map((one) => one.getBoundingClientRect());
  return [words.left - edge.left, edge.right - words.right];
}))"""
# Whether a word of ours goes over two lines anywhere.
TORN = """(word) => {
  const range = document.createRange();
  const nodes = [...document.querySelectorAll('#app *')].flatMap((node) => [...node.childNodes]).filter((node) => node.nodeType === 3);
  return nodes.some((node) => [...node.data.matchAll(word)].some(({ index }) => {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    return new Set([...range.getClientRects()].map((box) => box.top)).size > 1;
  }));
}"""
# Of many states in one question: the way there and back would cost as much as the answer. What was begun for later is done first; to be
# measured nothing need be painted, which costs a third more.
EACH = f"""async (names) => {{
  const found = {{}};
  for (const name of names) {{
    await put(name);
    await new Promise((done) => setTimeout(done));
    const wrong = ({SIDEWAYS})();
    if (wrong.length) found[name] = wrong;
  }}
  return found;
}}"""
# All of it in one question; where the theme is dark, contrast alone.
WRONG = f"""async ([least, dark]) => {{
  if (dark) {{
    const {{ violations }} = await axe.run(document, {{ resultTypes: ['violations'], runOnly: ['color-contrast'] }});
    return violations.flatMap((found) => found.nodes.map((node) => `contrast: ${{node.target}} ${{node.failureSummary}}`));
  }}
  const headings = document.querySelectorAll('h1').length;
  return [
    ...await {FINDINGS},
    ...({SMALL})(least).map((found) => `too small: ${{found}}`),
    ...({SIDEWAYS})().map((found) => `sideways: ${{found}}`),
    ...(headings === 1 ? [] : [`${{headings}} h1`]),
    ...(document.title ? [] : ["no title"]),
  ];
}}"""


def opened(
    browser: Browser, watch: Watch, site: Site, width: int, height: int, theme: str, touch: bool, words: str = "en"
) -> Page:
    """The gallery's page in a window of this kind."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=touch,
        service_workers="block",
        locale="en-GB",
    )
    watch.over(context)
    page = context.new_page()
    page.goto(f"{site.url}/gallery?words={words}")
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def fitted(page: Page, kind: str, names: Sequence[str] | None = None) -> list[str]:
    """What is cut off in these states, or in all; a picture of each kind is kept where they are wanted, and of all that is wrong."""
    names = page.evaluate("names") if names is None else names
    found: dict[str, list[str]] = page.evaluate(EACH, names)
    for name in names:
        if name in found or (WANTED and name in KEPT):
            page.evaluate("(name) => put(name)", name)
            picture(page, f"gallery/{name}-{kind}", wanted=True)
    return [f"{name}: {what}" for name, cut in found.items() for what in cut]


@pytest.mark.timeout(480)  # it looks at every state: three minutes on a busy machine
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_each_state_is_accessible_and_keeps_its_picture(
    browser: Browser, watch: Watch, site: Site, size: str, theme: str
) -> None:
    width, height, touch = SIZES[size]
    page = opened(browser, watch, site, width, height, theme, touch)
    page.evaluate(AXE)
    wrong: list[str] = []
    for name in page.evaluate("names"):
        page.evaluate("(name) => put(name)", name)
        found = page.evaluate(WRONG, [44 if touch else 24, theme == "dark"])
        picture(page, f"gallery/{name}-{size}-{theme}", wanted=WANTED or bool(found))
        wrong += [f"{name}: {what}" for what in found]
    page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(120)
def test_nothing_scrolls_sideways_on_small_and_lying_phones_nor_at_150_percent_text(
    browser: Browser, watch: Watch, site: Site
) -> None:
    wrong: list[str] = []
    for width, height, text, words in (
        (320, 640, "100%", "en"),
        (360, 640, "150%", "en"),
        (932, 430, "100%", "en"),  # as wide as a desktop's layout begins, and a little more
        (932, 430, "100%", "ar"),
    ):
        page = opened(browser, watch, site, width, height, "light", True, words)
        page.evaluate("(size) => document.documentElement.style.setProperty('font-size', size)", text)
        found = fitted(page, f"{width}-{text.rstrip('%')}-{words}")
        wrong += [f"{width} px {text} {words}, {what}" for what in found]
        page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["en", "de", "ru"])
def test_a_quiet_search_says_one_thing_and_fits_a_desktop(
    browser: Browser, watch: Watch, site: Site, language: str
) -> None:
    """With all that can stand there: the count, the usual wait, other languages, a notification, the chat before."""
    page = opened(browser, watch, site, 1280, 800, "light", False, language)
    page.evaluate("put('waiting-quiet')")
    picture(page, f"gallery/waiting-quiet-1280-{language}")
    assert page.locator("#usual, .steps").count() == 0
    bar, circles, middle = (page.locator(part).bounding_box() for part in (".bar", ".circles", ".middle"))
    assert bar
    assert circles
    assert middle
    assert circles["y"] >= bar["y"] + bar["height"]
    assert page.evaluate("document.querySelector('.middle').scrollHeight") <= middle["height"]
    page.context.close()


def test_edges_meet(browser: Browser, watch: Watch, site: Site) -> None:
    """The foot of home stands under what is above it, and what is beside a tall field stands at its foot."""
    edges = """(selector) => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector(selector));
      const { left, right } = range.getBoundingClientRect();
      return [left, right];
    }"""
    page = opened(browser, watch, site, 320, 640, "light", True)
    page.evaluate("put('home-ways')")
    assert abs(page.evaluate(edges, ".foot nav a")[0] - page.evaluate(edges, ".lead")[0]) < 1
    page.context.close()
    page = opened(browser, watch, site, 1280, 800, "light", False)
    page.evaluate("put('home-ways')")
    card = page.locator(".start").bounding_box()
    assert card
    assert abs(page.evaluate(edges, ".foot nav a:last-child")[1] - card["x"] - card["width"]) < 1
    page.evaluate("put('chat')")
    page.fill("#message", "a\nb\nc\nd")
    middles = [
        box["y"] + box["height"] / 2
        for part in (".leave", ".next.low", "#smile", ".send")
        if (box := page.locator(part).bounding_box())
    ]
    picture(page, "gallery/tall-field-1280")
    assert len(middles) == 4
    assert max(middles) - min(middles) < 1, middles
    page.context.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_what_a_stranger_does_not_give_is_said_once(
    browser: Browser, watch: Watch, site: Site, width: int, height: int
) -> None:
    page = opened(browser, watch, site, width, height, "light", width < 600)
    shown = """(words) => [...document.querySelectorAll('.gives, .told')]
      .filter((node) => node.checkVisibility() && node.getBoundingClientRect().width > 1).map((node) => node.textContent.trim())"""
    page.evaluate("put('call-off')")
    picture(page, f"gallery/call-off-{width}")
    assert page.evaluate(shown) == ["Their camera and microphone are off."]
    page.evaluate("put('call-muted')")
    assert page.evaluate(shown) == ["They are muted."]
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_volume_slider_has_the_accent_of_the_page(browser: Browser, watch: Watch, site: Site, theme: str) -> None:
    page = opened(browser, watch, site, 1280, 800, theme, False)
    page.evaluate("put('call-menu')")
    slider, accent = page.evaluate("""() => {
      const probe = document.createElement('i');
      probe.style.color = 'var(--accent)';
      document.body.append(probe);
      return [getComputedStyle(document.querySelector('input[type=range]')).accentColor, getComputedStyle(probe).color];
    }""")
    assert slider == accent
    page.context.close()


@pytest.mark.parametrize("text", ["100%", "150%"])
def test_what_lies_over_a_picture_is_above_the_rail_however_many_rows_it_has(
    browser: Browser, watch: Watch, site: Site, text: str
) -> None:
    page = opened(browser, watch, site, 360, 740, "light", True)
    page.evaluate("put('call-picture')")
    page.evaluate("(text) => document.documentElement.style.setProperty('font-size', text)", text)
    assert page.locator(".fleeting li").count() > 0
    page.wait_for_function("""() => [...document.querySelectorAll('.fleeting li')]
      .every((line) => line.getBoundingClientRect().bottom <= document.querySelector('.rail').getBoundingClientRect().top)""")
    picture(page, f"gallery/call-over-{text.rstrip('%')}")
    page.context.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", languages()[1:])
def test_each_language_fits_a_small_phone_and_is_accessible(
    browser: Browser, watch: Watch, site: Site, language: str
) -> None:
    """All states for what is cut off; of the main ones pictures at two sizes, for those who read the language, and all that axe finds."""
    wrong: list[str] = []
    for width, height in ((320, 640), (1280, 800)):
        page = opened(browser, watch, site, width, height, "light", width < 600, language)
        page.evaluate(AXE)
        each = page.evaluate(EACH, page.evaluate("names") if width < 600 else MAIN)
        found = [f"{name}: {what}" for name, cut in each.items() for what in cut]
        for name in MAIN:
            page.evaluate("(name) => put(name)", name)
            found += [f"{name}: {what}" for what in page.evaluate(FINDINGS)]
            picture(page, f"gallery/{name}-{width}-{language}")
        wrong += [f"{width} px {language}, {what}" for what in found]
        if width < 600:
            page.evaluate("put('home-ways')")
            for phone in (320, 360, 390, 430):
                page.set_viewport_size({"width": phone, "height": height})
                if (room := page.evaluate(ROOM)) < 11:
                    wrong.append(f"{phone} px {language}, home-ways: {room} px beside the words of a start button")
        page.context.close()
    assert not wrong, "\n".join(wrong)


def test_japanese_is_set_as_japanese(browser: Browser, watch: Watch, site: Site) -> None:
    """No word of ours is torn apart, however wide the window is, and no space stands after a full stop."""
    page = opened(browser, watch, site, 360, 740, "light", True, "ja")
    torn: list[int] = []
    for name in ("home-ways", "report"):
        page.evaluate("(name) => put(name)", name)
        assert not page.evaluate("document.body.innerText.match(/。 ./g)"), name
    page.evaluate("put('home-ways')")
    for width in range(300, 420, 8):
        page.set_viewport_size({"width": width, "height": 740})
        if page.evaluate(TORN, "あなた"):
            torn.append(width)
    assert torn == []
    assert page.evaluate("getComputedStyle(document.querySelector('.button')).fontFamily").startswith('Figtree, "Hira')
    page.context.close()


def test_every_control_shows_where_the_focus_is(browser: Browser, watch: Watch, site: Site) -> None:
    page = opened(browser, watch, site, 1280, 800, "light", False)
    wrong: list[str] = []
    for name in (
        "home-back",
        "age",
        "waiting-any",
        "chat",
        "ended-stranger",
        "report-note",
        "settings",
        "save-done",
        "ended-claimed",
        "more",
    ):
        page.evaluate("(name) => put(name)", name)
        seen: set[str] = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => { const node = document.activeElement; if (!node || node === document.body) return null;
                  const ringed = node.closest('.tagbox') && node.tagName === 'INPUT' ? node.closest('.tagbox') : node;
                  const { outlineStyle, outlineWidth } = getComputedStyle(ringed);
                  return [node.outerHTML.slice(0, 80), outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2]; }"""
            )
            if told is None or told[0] in seen:
                break
            seen.add(told[0])
            if not told[1]:
                wrong.append(f"{name}: {told[0]}")
        assert len(seen) > 1, name
    page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(90)
def test_right_to_left_forced_colours_and_more_contrast_hold(browser: Browser, watch: Watch, site: Site) -> None:
    page = opened(browser, watch, site, 360, 740, "light", True)
    wrong: list[str] = []
    for kind in ("rtl", "forced", "contrast"):
        page.emulate_media(
            forced_colors="active" if kind == "forced" else "none",
            contrast="more" if kind == "contrast" else "no-preference",
            reduced_motion="reduce",
        )
        page.evaluate("(dir) => { document.documentElement.dir = dir; }", "rtl" if kind == "rtl" else "ltr")
        names = None if kind == "rtl" else LOOKED_AT
        wrong += [f"{kind} {what}" for what in fitted(page, kind, names)]
    page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(60)
def test_the_main_screens_hold_on_a_very_large_screen(browser: Browser, watch: Watch, site: Site) -> None:
    page = opened(browser, watch, site, 3840, 2160, "light", False)
    wrong: list[str] = []
    for name in MAIN:
        page.evaluate("(name) => put(name)", name)
        wrong += [f"{name}: {found}" for found in page.evaluate(SIDEWAYS)]
        picture(page, f"gallery/{name}-4k")
    page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ["rules", "about", "offline", "nothing-here"])
def test_documents_are_accessible_and_need_no_script(browser: Browser, watch: Watch, site: Site, path: str) -> None:
    watch.quiet = ("status of 404",) if path == "nothing-here" else ()
    wrong: list[str] = []
    for size, (width, height, touch) in SIZES.items():
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
        watch.over(context)
        page = context.new_page()
        page.goto(f"{site.url}/{path}")
        page.evaluate(AXE)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            # else a button is looked at half way from one colour to the other
            page.evaluate("document.getAnimations().forEach((moving) => moving.finish())")
            picture(page, f"gallery/document-{path}-{size}-{theme}", whole=True)
            wrong += page.evaluate(WRONG, [44 if touch else 24, theme == "dark"])
        context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", languages()[1:])
def test_documents_fit_a_small_phone_in_each_language(
    browser: Browser, watch: Watch, site: Site, language: str
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, has_touch=True)
    watch.quiet = ("status of 404",)
    watch.over(context)
    page = context.new_page()
    wrong: list[str] = []
    for path in ("rules", "about", "nothing-here"):
        page.goto(f"{site.url}/{path}?lang={language}")
        page.evaluate(AXE)
        picture(page, f"gallery/document-{path}-320-{language}", whole=True)
        wrong += [f"{path}: {found}" for found in page.evaluate(WRONG, [44, False])]
    context.close()
    assert not wrong, "\n".join(wrong)


def test_the_watch_over_the_windows_sees_what_it_must(browser: Browser, site: Site) -> None:
    watch = Watch()
    context = browser.new_context(service_workers="block")
    watch.over(context)
    page = context.new_page()
    page.goto(f"{site.url}/rules")
    page.evaluate(
        """() => {
          const style = document.createElement('style');
          style.textContent = 'p { color: red }';
          document.head.append(style);
          const picture = new Image();
          picture.src = 'http://other.invalid/picture.png';
          document.body.append(picture);
          try { document.body.innerHTML = '<p>text</p>'; } catch { /* Trusted Types throw; the violation counts */ }
          console.error('an error of the page');
        }"""
    )
    signs = {"style-src", "img-src", "require-trusted-types-for", "an error of the page"}
    for _ in range(100):
        missing = {sign for sign in signs if not any(sign in told for told in watch.wrong)}
        if not missing:
            break
        page.wait_for_timeout(100)  # the events come in turns of their own
    context.close()
    assert not missing, watch.wrong


def test_the_watch_hears_of_a_request_to_another_host(browser: Browser, site: Site) -> None:
    watch = Watch()
    context = browser.new_context(service_workers="block")
    watch.over(context)
    page = context.new_page()  # of no policy that would hold it back
    others = {"other.invalid", "www.example.com:81", "192.0.2.1", "[2001:db8::1]"}
    page.evaluate(
        """(others) => Promise.all(others.map((host) =>
          fetch(`http://${host}/`, { mode: 'no-cors' }).then(() => { throw new Error(`${host} answered`); }, () => {})))""",
        [*others],
    )
    page.goto(f"{site.url}/rules")
    context.close()
    assert watch.hosts == others


def test_without_script_the_page_says_what_still_works(browser: Browser, watch: Watch, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(site.url)
    assert "Chatting needs JavaScript." in page.locator("noscript").inner_text()
    picture(page, "gallery/home-noscript")
    context.close()
