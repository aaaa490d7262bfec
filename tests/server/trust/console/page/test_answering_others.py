"""Play two users, a clerk, two officers, a court and four recipients through all that others learn of a user, over both databases.

The users and the operators are Chromium windows, or commands; the clock of the server and of the commands moves by restarts. Of the recipients one is
down for three days, one refuses, one takes a notice twice because its answer was lost, and one gets a mail. A canary searches the bytes of every
mail, notice and package, and of what is printed of the order: it finds exactly what the registry declares.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import secrets
import socketserver
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.data.privacy.disclosure_ledger import Phase
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import HandedOn, Recipient
from tests.server.data.conftest import url
from tests.server.data.privacy.scanner import Marker, Scanner
from tests.server.site.college.conftest import Box, box
from tests.server.site.web.conftest import Opener, Watch, keep
from tests.server.site.web.servers import ROOT, Network
from tests.server.site.web.test_gallery import SIDEWAYS
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import by_key
from tests.server.trust.console.page.test_work import enter
from tests.support.forkserver import START
from tests.support.services import free_port

__all__ = ["box", "url"]
pytestmark = pytest.mark.timeout(600)
DAY = 86_400
OUT = Path(ROOT) / "tests" / "out" / "deletion"
HOSTER, BEN = "privacy@hoster.example", "ben.miller@mail.example"
WAITING, TOLD = "will be told", "told, and took the notice"
REFUSED, FAILED = (
    "refused the notice so far; we try again for 30 days",
    "could not be told in 30 days; the operator was alerted",
)

UNTOLD = {
    "Own Bucket": "we delete it there ourselves",
    "Bound Copies": "deletes it as its contract says",
    "Blind Words": "knows nothing by which it could find you",
    "Unreachable": "is not told by us",
}


class Hook:
    """A recipient's web server on a port that stays the same. `status`: of its answers; 0: it closes the connection without one."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[tuple[str, bytes]] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def start(self) -> None:
        """Listen."""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.headers["webhook-id"], str(self.headers).encode() + body))
                if hook.status:
                    self.send_response(hook.status)
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        socketserver.TCPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Service(Operated):
    """A server with a console whose clock the test moves. `hooks`: the recipients' web servers by name."""

    def __init__(self, folder: Path, database: str, box: Box, environment: pytest.MonkeyPatch) -> None:
        self.hooks = {"Down": Hook(), "Refusing": Hook(403), "Twice": Hook(0)}
        self.offset = 0
        lines = [
            f'store.url = "{database}"\nretention.purge_every = 1\nlimits.enabled = false\nscreening.text = "off"',
            f'[mail]\nhost = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nsender = "Serendip <privacy@chat.example>"',
            f'[[recipients]]\nname = "Mailed Hoster"\nkind = "hosting"\ndeletes = "mail"\ncontact = "{HOSTER}"',
            '[[recipients]]\nname = "Own Bucket"\nkind = "objects"\ndeletes = "by_us"',
            '[[recipients]]\nname = "Bound Copies"\nkind = "backup"\ndeletes = "contract"\ndays = 30',
            '[[recipients]]\nname = "Blind Words"\nkind = "translation"\ndeletes = "mail"\ncontact = "a@words.example"',
            '[[recipients]]\nname = "Unreachable"\nkind = "turn"\ndeletes = "webhook"',
        ]
        lines += [
            f'[[recipients]]\nname = "{name}"\nkind = "cdn"\ndeletes = "webhook"\nsecret = "{secrets.token_hex()}"\n'
            f'contact = "http://127.0.0.1:{hook.port}/hook"\nprivate = true'
            for name, hook in self.hooks.items()
        ]  # fmt: skip
        config = folder / "config.toml"
        config.write_text("\n".join(lines))
        environment.setenv("SERENDIP_CONFIG", str(config))
        super().__init__(folder / "data", free_port())

    @property
    def first(self) -> str:
        """Python that moves the clock of a process before it imports the project."""
        return f"import time; _now = time.time; time.time = lambda: _now() + {self.offset}; "

    def later(self, seconds: int) -> None:
        """Restart the server, so much later."""
        self.offset += seconds
        assert self.server.stop() == 0
        self.server.first = self.first
        self.server.start()

    def serendip(self, *words: str, sent: str = "", status: int = 0) -> str:
        """Run a command at the server's time. Return its output."""
        command = [sys.executable, "-c", self.first + START, *words, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, input=sent)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.strip()


@pytest.fixture
def operated(tmp_path: Path, url: str, box: Box, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service; its database is one of each kind."""
    box.mails.clear()
    made = Service(tmp_path, url, box, monkeypatch)
    yield made
    for hook in made.hooks.values():
        hook.stop()
    assert made.server.stop() == 0
    assert made.server.strange == []


class User:
    """A user at an address of their own. `said`: their only line; `plea`, `reply`: of a complaint; no one else could write them."""

    def __init__(self, name: str, window: Opener, operated: Service, number: int) -> None:
        self.name = name
        self.said, self.plea, self.reply = (f"the {secrets.token_hex(8)} {what}" for what in ("herring", "cod", "eel"))
        self.address = f"127.83.17.{number}"
        self._network = Network(operated.server.port, self.address)
        self.page = keep(window(), adult=True)
        self.origin = self._network.url

    def say(self, other: User) -> None:
        """Send the line."""
        self.page.fill("#message", self.said)
        self.page.press("#message", "Enter")
        expect(other.page.locator(".line", has_text=self.said)).to_be_visible()

    def rights(self, *buttons: str) -> Page:
        """Open the page about one's own data, and press buttons, one a page."""
        self.page.goto(f"{self.origin}privacy/request")
        for name in buttons:
            self.page.get_by_role("button", name=name, exact=True).click()
        return self.page

    def markers(self) -> list[Marker]:
        """Return the values that a canary searches for."""
        (cookie,) = [one["value"] for one in self.page.context.cookies() if one["name"] == "id"]
        found = {
            "talk": self.said, "address": self.address, "identity": cookie, "plea": self.plea, "reply": self.reply
        }  # fmt: skip
        return [Marker(item, self.name, value) for item, value in found.items()]


def chatted(anna: User, ben: User) -> str:
    """Let both chat; Anna saves it. Return the saved chat's address."""
    for user in (anna, ben):
        user.page.goto(user.origin)
        user.page.click("#start-text")
    for user, other in ((anna, ben), (ben, anna)):
        user.say(other)
    anna.page.get_by_role("button", name="More").click()
    anna.page.get_by_role("button", name="Save this chat").click()
    anna.page.get_by_role("button", name="Save and get the link").click()
    saved = str(anna.page.locator("#saved-link").input_value())
    for _ in range(2):
        ben.page.keyboard.press("Escape")
    expect(anna.page.locator(".divider.over")).to_have_text("The stranger left")
    return saved


def ordered(otto: Page, operated: Service, log: str, key: str) -> str:
    """Otto enters the court's order about the saved chat, and preserves it. Return its number."""
    otto.goto(operated.origin + "/orders")
    for label, words in (
        ("The court or office that orders it", "Court of Oslo"), ("Its country, two letters", "NO"),
        ("or the link of a saved chat", log),
        ("Its text, or what it says in short", "Who wrote this chat, and what?"), ("Due on, if it says so", day(10)),
        ("Secret until, if it says so", day(40)), ("Public key of the authority (age1…), if it gave one", key),
    ):  # fmt: skip
        otto.get_by_label(label, exact=True).fill(words)
    otto.get_by_label("Its kind").select_option("warrant")
    for category in ("A", "LOG"):
        otto.locator(f"input[name=categories][value={category}]").check()
    otto.get_by_role("button", name="Enter an order").click()
    expect(otto.locator("h2").first).to_contain_text("Court of Oslo (NO)")
    otto.get_by_label("Why do you look?").fill("my turn")
    otto.get_by_role("button", name="Read").click()
    otto.get_by_role("button", name="Preserve what it names").click()
    expect(otto.locator("main")).to_contain_text("hold 1")
    (one,) = json.loads(operated.serendip("privacy", "order", "list", "--json", "--operator", "otto"))
    return str(one["number"])


def day(ahead: int) -> str:
    """Return the day so many days from today, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead * DAY))


def written(ben: User, operated: Service, box: Box) -> None:
    """Ben writes a complaint by mail, and reads its state by the link of the receipt."""
    mail = f"Return-Path: <{BEN}>\nFrom: {BEN}\nSubject: Serendip-Privacy complaint\n\nWhy was {ben.plea}?\n"
    operated.serendip("privacy", "mail", "--site", "https://chat.example", sent=mail)
    link = re.search(r"https://chat\.example/(privacy/request/\S+)", letters(box, BEN)[0])
    assert link is not None
    ben.page.goto(ben.origin + link[1])
    expect(ben.page.locator("main")).to_contain_text("a complaint")
    shot(ben.page, "request")


def answered(cleo: Page, ben: User, operated: Service, box: Box) -> None:
    """Cleo answers it in the console; the answer reaches Ben by mail."""
    cleo.goto(operated.origin + "/requests")
    cleo.get_by_label("Why do you look?").fill("my turn")
    cleo.get_by_role("button", name="Read").click()
    expect(cleo.locator("blockquote").first).to_contain_text(ben.plea)
    cleo.get_by_label("Answered: what was asked is done").check()
    cleo.get_by_label("What the person reads", exact=True).fill(ben.reply)
    cleo.get_by_label("Why, for the trail").first.fill("answered")
    cleo.get_by_role("button", name="Answer").click()
    expect(cleo.locator("main")).to_contain_text("Nothing waits.")
    assert ben.reply in letters(box, BEN)[1]


def letters(box: Box, to: str) -> list[str]:
    """Return the texts of the mails to an address."""
    found = [email.message_from_string(text, policy=email.policy.default) for whom, text in box.mails if whom == to]
    return [str(body.get_content()) for one in found if (body := one.get_body()) is not None]


def deleted(anna: User, log: str) -> None:
    """Anna has everything deleted: it is hidden at once, and the page names the recipients who will be told."""
    anna.rights("Delete")
    anna.page.get_by_role("button", name="Delete", exact=True).click()
    expect(anna.page.locator("h1")).to_have_text("Your deletion")
    assert anna.page.request.get(log).status == 404
    assert recipients(anna.page) == dict.fromkeys(("Down", "Refusing", "Twice", "Mailed Hoster"), WAITING) | UNTOLD
    shot(anna.page, "planned")


def recipients(page: Page) -> dict[str, str]:
    """Return the recipients on the page of a deletion, with their states."""
    rows = page.locator("h2:has-text('Passed on to') + ul li").all_inner_texts()
    return dict(re.fullmatch(r"(.+?): (.+?)(?:, [^,]*\d\d:\d\d[^,]*)?", row).groups() for row in rows)  # type: ignore[union-attr, misc]


def read(otto: Page, operated: Service, place: str = "/orders") -> None:
    """Otto opens the page of the one order."""
    otto.goto(operated.origin + place)
    otto.get_by_label("Why do you look?").fill("my turn")
    otto.get_by_role("button", name="Read").click()
    expect(otto.locator("blockquote")).to_have_text("Who wrote this chat, and what?")


def produced(otto: Page, olga: Page, operated: Service, key: Path) -> list[bytes]:
    """Otto counts what the order names, and downloads it once Olga has confirmed it. Return the package's bytes, and what the court decrypts."""
    signed_in(otto, operated, "/orders")
    read(otto, operated)
    shot(otto, "order")
    otto.get_by_role("button", name="Count what it names").click()
    expect(otto.get_by_role("row", name="Texts of saved chats")).to_contain_text("1")
    shot(otto, "order-counted")
    otto.get_by_role("button", name="Ask another officer to confirm").click()
    otto.wait_for_url("**/approvals")
    read(otto, operated)
    expect(otto.get_by_role("button", name="Download the package")).to_have_count(0)
    signed_in(olga, operated, "/approvals")
    expect(olga.locator("main")).to_contain_text("otto")
    olga.get_by_role("button", name="Confirm").click()
    expect(olga.locator("main")).to_contain_text("olga confirmed")
    read(otto, operated)
    shot(otto, "order-confirmed")
    with otto.expect_download() as got:
        press(otto, "Download the package")
    out = operated.data.parent / "answer"
    with zipfile.ZipFile(got.value.path()) as packed:
        packed.extractall(out)
    (out,) = out.iterdir()
    opened = subprocess.run(
        ["age", "-d", "-i", str(key), str(out / "records.json.age")], check=True, capture_output=True
    ).stdout
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, check=False).returncode == 0
    return [*(path.read_bytes() for path in sorted(out.iterdir())), opened]


def press(page: Page, name: str) -> None:
    """Press a button by the keyboard alone."""
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent") == name:
            return page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not reach {name}")


def revealed(otto: Page, operated: Service) -> None:
    """Otto ends the secrecy of the answered order, as the court did."""
    signed_in(otto, operated, "/orders")
    expect(otto.locator("main")).to_contain_text("Nothing waits.")
    otto.get_by_role("link", name="Show closed orders, too").click()
    shot(otto, "orders")
    read(otto, operated, "/orders?every=1")
    otto.get_by_label("Why, for the trail").first.fill("the court ended it")
    press(otto, "End its secrecy now")
    otto.wait_for_url("**/orders")


def signed_in(page: Page, operated: Service, path: str) -> None:
    """Open a page of the console days later: the session is over, the passkey is not."""
    page.goto(operated.origin + path)
    page.wait_for_url(f"**/sign-in?next={path}")
    by_key(page)
    page.wait_for_url(operated.origin + path)


def state(anna: User) -> dict[str, str]:
    """Return what Anna reads of the recipients now."""
    return recipients(anna.rights("How the deletion stands"))


def removed(anna: User) -> None:
    """Wait until the service has removed what Anna chose, and look at what she reads."""
    deadline = time.monotonic() + 120
    while "What you chose is removed." not in anna.rights("How the deletion stands").inner_text("main"):
        assert time.monotonic() < deadline


def until(anna: User, wanted: dict[str, str]) -> None:
    """Wait until Anna reads this of the recipients."""
    deadline = time.monotonic() + 120
    while (found := state(anna)) != wanted:
        assert time.monotonic() < deadline, (found, wanted)


def shot(page: Page, name: str) -> None:
    """Keep pictures, wide and narrow, light and dark; no page is wider than its window."""
    OUT.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png", full_page=True)
        assert not page.evaluate(SIDEWAYS)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def told(anna: User, operated: Service) -> None:
    """Let the recipients be told, the one that is down after three days, and read the truth of each on Anna's page."""
    down, _, twice = operated.hooks.values()
    down.stop()
    operated.later(2 * DAY)
    removed(anna)
    operated.later(1)  # a pass is due at each start
    first = {"Down": WAITING, "Refusing": REFUSED, "Twice": WAITING, "Mailed Hoster": TOLD} | UNTOLD
    until(anna, first)
    shot(anna.page, "told")
    twice.status = 200
    operated.later(121)  # a minute is the first wait; two are a try that a killed process began
    until(anna, first | {"Twice": TOLD})
    assert len({ident for ident, _ in twice.got}) == 1 < len(twice.got), "one notice, which came twice"
    operated.later(3 * DAY)
    assert state(anna)["Down"] == WAITING
    down.start()
    operated.later(DAY)
    until(anna, first | {"Twice": TOLD, "Down": TOLD})
    assert down.got
    operated.later(31 * DAY)
    until(anna, first | {"Twice": TOLD, "Down": TOLD, "Refusing": FAILED})
    shot(anna.page, "over")
    assert '"rights.recipient_failed"' in operated.server.before + operated.server.said


def ledger(operated: Service) -> dict[str, list[str]]:
    """Return the phases of the ledger's lines by recipient, oldest first, once the ledger is verified."""
    operated.serendip("privacy", "ledger", "verify")
    found: dict[str, list[str]] = {}
    for line in reversed(json.loads(operated.serendip("privacy", "ledger", "list", "--json"))):
        if line["phase"] != Phase.MARK:
            found.setdefault(line["recipient"], []).append(line["phase"])
    return found


def test_what_others_learn_of_two_users_is_declared_and_read_by_them(
    window: Opener, operated: Service, box: Box, quiet: Watch, tmp_path: Path
) -> None:
    anna, ben = User("anna", window, operated, 211), User("ben", window, operated, 212)
    log = chatted(anna, ben)
    markers = [*anna.markers(), *ben.markers()]
    otto, cleo = (
        enter(window, operated, "otto", "officer"),
        enter(window, operated, "cleo", "clerk", place="**/requests"),
    )
    olga = enter(window, operated, "olga", "officer")
    key = tmp_path / "court.key"
    made = subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True, text=True)
    number = ordered(otto, operated, log, made.stderr.split()[-1])
    written(ben, operated, box)
    answered(cleo, ben, operated, box)
    deleted(anna, log)

    operated.later(2 * DAY)  # an account of two days may confirm
    package = produced(otto, olga, operated, key)
    shown = [operated.serendip("privacy", "order", "show", number, "--why", "the proof", "--operator", "otto")]
    told(anna, operated)
    assert ledger(operated) == {
        "Court of Oslo": ["intent", "intent", "done", "done"],
        **{name: ["intent", "done"] for name in (*operated.hooks, "Mailed Hoster")},
    }
    see = "See what this browser's chats left"
    expect(ben.rights(see).locator("main")).not_to_contain_text("Court of Oslo")
    revealed(otto, operated)
    expect(ben.rights(see).locator("#part-disclosures")).to_contain_text("Court of Oslo")

    sinks = {"package": package, "order": [text.encode() for text in shown]}
    sinks |= {name: [body for _, body in hook.got] for name, hook in operated.hooks.items()}
    for to, text in box.mails:
        sinks.setdefault(to, []).append(text.encode())
    for to in (BEN, HOSTER):
        sinks[to] += [text.encode() for text in letters(box, to)]
    scanner = Scanner(markers)
    found = {hit.triple for place, bodies in sinks.items() for body in bodies for hit in scanner.scan(place, body)}
    assert set(sinks) == {"package", "order", "Down", "Refusing", "Twice", BEN, HOSTER}
    told_by_mail = next(item for item in REGISTRY.items if item.key == "deletion_address")
    assert [place.to for place in told_by_mail.places if isinstance(place, HandedOn)] == [Recipient.RELAY]
    assert Recipient.RELAY in told_by_mail.recipients
    assert found == {
        *(("address", place, "anna") for place in ("Down", "Refusing", "Twice", HOSTER)),
        *((item, "package", whose) for item in ("address", "talk") for whose in ("anna", "ben")),
        ("reply", BEN, "ben"),
    }
