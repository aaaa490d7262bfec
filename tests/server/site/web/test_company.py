"""A company's challenge in a browser: nothing of it is loaded before somebody agrees, it runs under its frame's policy, and then it is gone."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.http.pages.static_response import File
from server.site.front.page_files import FOLDER, bare
from tests.server.site.web.conftest import Opener, Watch, adult, opened
from tests.server.site.web.servers import Network, Server
from tests.support.forkserver import START, forked
from tests.support.siteverify import Siteverify as Stub

pytestmark = pytest.mark.timeout(180)
# Everybody is asked, for the hardest one: who is asked when is tests/engine's.
HARDEST = "from engine.conduct import friction_points as friction\nfriction._LEVELS = (3,) * 9\n"
PATIENT = "from server.trust.challenge import captcha_verdicts as siteverify\nsiteverify.PATIENCE = 60.0\n"  # the machine may be slow
forked(HARDEST + PATIENT + START)
COMPRESSED = 4_096  # bytes, of all that challenges add to the page


class Asked:
    """A server whose hardest challenge is a company's, and that company."""

    def __init__(self, data: Path, kind: str = "turnstile", render: str = "explicit", **also: Any) -> None:
        self.theirs = Stub(kind, **also)
        settings = {
            "SERENDIP_CHALLENGE__ENABLED": "true",
            "SERENDIP_CHALLENGE__FIRST": "true",
        } | self.theirs.environment
        script = f"{self.theirs.url}/api.js?render={render}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.frame = (
            f"http://localhost:{port}"  # another origin than the page's, and another site: 127.0.0.1 is no name
        )
        settings |= {
            "SERENDIP_CHALLENGE__SCRIPT_URL": script,
            "SERENDIP_CHALLENGE__ORIGIN": self.frame,
            "SERENDIP_SERVER__HOSTS": "127.0.0.1",
        }
        self.server = Server(data, HARDEST + PATIENT, port, **settings)

    def stop(self) -> None:
        self.server.stop()
        self.theirs.stop()


class Private(Network):
    """A browser's own doing: each request asks not to be tracked, those for sockets too, which Playwright cannot change."""

    def _pump(self, source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        asking = source.recv(65536)
        if asking.startswith(b"GET "):
            asking = asking.replace(b"\r\n", b"\r\nSec-GPC: 1\r\n", 1)
        with contextlib.suppress(OSError):
            sink.sendall(asking)
        super()._pump(source, sink, silent)


@pytest.fixture
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    """A test takes it before `window`, so that no window is open when it stops."""
    made = Asked(tmp_path, **getattr(request, "param", {}))
    yield made
    made.stop()


def searching(page: Page, url: str) -> Page:
    adult(page).goto(url)
    page.locator("#start-text").click()
    return page


def agree(page: Page, company: str) -> None:
    """Let the company check, and press what it shows."""
    page.get_by_role("button", name="Agree and go on").click()
    page.frame_locator(f"iframe[title='The check by {company}']").get_by_role("button", name="I am a person").click()


def test_it_is_loaded_after_they_agree_and_two_meet(asked: Asked, window: Opener) -> None:
    pages = [searching(window(), asked.server.url) for _ in range(2)]
    for page in pages:
        dialog = page.get_by_role("dialog", name="One moment")
        expect(dialog).to_contain_text("This time Cloudflare has to see that you are not a robot.")
        expect(page.locator("iframe")).to_have_count(0)
        page.wait_for_load_state("networkidle")
    assert asked.theirs.fetched == []
    for page in pages:
        agree(page, "Cloudflare")
        expect(page.locator("iframe")).to_have_count(0)
    for page in pages:
        expect(page.locator("#message")).to_be_visible(timeout=30_000)
        expect(page.locator("#check")).to_have_count(0)
    pages[0].fill("#message", "hello")
    pages[0].press("#message", "Enter")
    expect(pages[1].locator(".line")).to_have_count(1)
    assert "/api.js?render=explicit&onload=loaded" in asked.theirs.fetched
    assert [sorted(answer) for answer in asked.theirs.asked] == [["response", "secret"]] * 2


TRIES = """
async () => {
  const tried = {};
  const attempt = async (name, act) => {
    try { tried[name] = String(await act()).slice(0, 40); } catch (error) { tried[name] = error.name; }
  };
  await attempt('document', () => parent.document.title);
  await attempt('storage', () => parent.localStorage.serendip);
  await attempt('fetch', () => parent.fetch('/privacy/request'));
  await attempt('own', async () => (await fetch('/privacy/request')).status);
  await attempt('page', async () => (await fetch(`${PAGE}privacy/request`, {credentials: 'include'})).status);
  await attempt('kept', () => localStorage.page);
  await attempt('cookie', () => document.cookie || 'empty');
  await attempt('top', () => { top.location = 'about:blank'; return 'gone'; });
  return tried;
}
"""


def test_a_script_of_the_company_s_reads_nothing_of_the_page(asked: Asked, window: Opener, watch: Watch) -> None:
    page = searching(window(), asked.server.url)
    page.get_by_role("button", name="Agree and go on").click()
    page.evaluate("localStorage.page = 'kept by the page'")
    frame = page.frame_locator("iframe.company")
    expect(frame.get_by_role("button", name="I am a person")).to_be_visible()
    inside = next(frame for frame in page.frames if frame.url.startswith(f"{asked.frame}/challenge?page="))
    tried = inside.evaluate(TRIES.replace("${PAGE}", asked.server.url))
    assert tried == {
        "document": "SecurityError",
        "storage": "SecurityError",
        "fetch": "SecurityError",
        "own": "TypeError",
        "page": "TypeError",
        "kept": "undefined",
        "cookie": "empty",
        "top": "SecurityError",
    }
    page.evaluate(  # an answer of another origin than the frame's is none
        "window.dispatchEvent(new MessageEvent('message', {data: {response: 'good-forged'}, origin: 'https://evil.example'}))"
    )
    expect(page.locator("iframe.company")).to_have_count(1)
    agreed = frame.get_by_role("button", name="I am a person")
    agreed.click()
    expect(page.locator("iframe")).to_have_count(0)
    assert not any(answer["response"].startswith("good-forged") for answer in asked.theirs.asked)
    refused = ("connect-src", "Content Security Policy", "Unsafe attempt to initiate navigation")
    watch.wrong = [what for what in watch.wrong if not any(word in what for word in refused)]


def test_a_wrong_answer_is_said_and_it_can_be_stopped_by_keyboard(asked: Asked, window: Opener) -> None:
    asked.theirs.answer = "bad"
    page = searching(window(), asked.server.url)
    dialog = page.get_by_role("dialog", name="One moment")
    expect(dialog).to_contain_text("This time Cloudflare")
    expect(dialog).not_to_contain_text("That did not work.")
    agree(page, "Cloudflare")
    expect(dialog).to_contain_text("That did not work.")
    expect(dialog).to_contain_text("This time Cloudflare")
    asked.theirs.answer = "good"
    agree(page, "Cloudflare")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page = searching(window(), asked.server.url)
    dialog = page.get_by_role("dialog", name="One moment")
    opened(page, "#check")
    dialog.get_by_role("button", name="Agree and go on").press("Enter")
    expect(page.locator("iframe")).to_have_count(1)
    expect(dialog.get_by_role("heading")).to_be_focused()
    dialog.get_by_role("button", name="Stop").press("Enter")
    expect(page.locator("iframe")).to_have_count(0)
    expect(page.locator("#start-text")).to_be_focused()


def test_where_the_company_says_nothing_the_browser_solves_ours(asked: Asked, window: Opener) -> None:
    asked.theirs.wrong = 500, b""
    page = searching(window(), asked.server.url)
    agree(page, "Cloudflare")
    expect(page.get_by_role("dialog", name="One moment")).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def test_a_browser_that_asks_not_to_be_tracked_sees_nothing_of_it(asked: Asked, window: Opener) -> None:
    private = Private(asked.server.port)
    page = window()
    with page.expect_request(re.compile("/vendor/pbkdf2.js$")):
        searching(page, private.url)
    expect(page.get_by_role("dialog", name="One moment")).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert (asked.theirs.fetched, asked.theirs.asked) == ([], [])
    page.context.close()
    private.close()


@pytest.mark.parametrize(
    ("asked", "company"),
    [({"kind": "hcaptcha"}, "hCaptcha"), ({"kind": "recaptcha"}, "Google")],
    indirect=["asked"],
)
def test_the_others_are_shown_alike(asked: Asked, window: Opener, company: str) -> None:
    page = searching(window(), asked.server.url)
    agree(page, company)
    expect(page.get_by_role("dialog", name="One moment")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


@pytest.mark.parametrize(
    "asked", [{"kind": "recaptcha", "render": "a-site-key", "score": 0.9, "action": "find"}], indirect=True
)
def test_one_that_shows_nothing_answers_by_itself(asked: Asked, window: Opener) -> None:
    page = searching(window(), asked.server.url)
    page.get_by_role("button", name="Agree and go on").click()
    expect(page.get_by_role("dialog", name="One moment")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def test_what_challenges_add_to_the_page_is_small() -> None:
    names = ("challenge.js", "company.js", "vendor/pbkdf2.js", "views/check.js")
    packed = [File.of(name, bare(name, (FOLDER / name).read_bytes())).packed for name in names]
    sizes = {name: len(body or b"") for name, body in zip(names, packed, strict=True)}
    assert sum(sizes.values()) <= COMPRESSED, sizes
