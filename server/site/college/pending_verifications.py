"""Keep the pending mail verifications of college mode. Each has the browser, the hashed address, and the code and link that were mailed.

**Invariant:** held in memory, bounded in number, valid ten minutes and five tries, and codes are compared in constant time.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

LIFE: Final = 600.0  # seconds in which code and link are valid
TRIES: Final = 5  # of a million codes
HOUR: Final = 3600.0  # one mail per mailbox
MAILS_BROWSER: Final = 3  # per hour and browser: a typing error or two
MAILS_ADDRESS: Final = 10  # per hour and network address: a lecture hall is served within hours
CHECKS_MAX: Final = 10_000
HISTORY_MAX: Final = 100_000  # remembered mails; when it is full no mail is sent
PIECE: Final = 500  # checks, or mails, per message to another process


class Refused(Exception):
    """The request is refused: `code` for the page, `figure` seconds to wait or tries left."""

    def __init__(self, code: str, figure: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.figure = figure


@dataclass(slots=True)
class MailCheck:
    """One open check.

    A check belongs to the browser that requested it (its identity cookie): a link opened in another browser proves nothing there, so no user can
    make another person confirm an address.
    """

    digest: bytes
    domain: str
    code: str
    link: str
    until: float
    tries: int = TRIES
    confirmed: bool = False


class MailChecks:
    """All open checks, one per browser. `draw`: returns an unguessable link."""

    def __init__(self, draw: Callable[[], str] = lambda: secrets.token_urlsafe(16)) -> None:
        self._draw = draw
        self._checks: OrderedDict[int, MailCheck] = OrderedDict()
        self._links: dict[str, int] = {}
        self._mails: OrderedDict[tuple[str, bytes | int | str], list[float]] = OrderedDict()

    def begin(self, browser: int, address: str, digest: bytes, domain: str, now: float) -> MailCheck:
        """Begin a check for a browser, in place of an older one. `browser`: its identity, not 0. Raises Refused."""
        limits = (("box", digest, 1), ("browser", browser, MAILS_BROWSER), ("address", address, MAILS_ADDRESS))
        self._expire(now)
        for kind, key, most in limits:
            known = [time for time in self._mails.get((kind, key), ()) if time > now - HOUR]
            if len(known) >= most:
                raise Refused("wait", int(known[-most] + HOUR - now) + 1)
        if len(self._mails) + len(limits) > HISTORY_MAX or len(self._checks) >= CHECKS_MAX:
            raise Refused("busy", 60)
        for kind, key, most in limits:
            self._mails[kind, key] = [*self._mails.pop((kind, key), [])[1 - most :], now] if most > 1 else [now]
        self.end(browser)
        check = MailCheck(digest, domain, f"{secrets.randbelow(1_000_000):06d}", self._draw(), now + LIFE)
        self._checks[browser] = check
        self._links[check.link] = browser
        return check

    def enter(self, browser: int, code: str, now: float) -> MailCheck:
        """Check a typed code; the check is used up. Raises Refused."""
        check = self._open(browser, now)
        if check.tries < 1:
            raise Refused("expired")
        check.tries -= 1
        if not hmac.compare_digest(check.code.encode(), code.strip().encode("utf-8", "replace")):
            raise Refused("wrong", check.tries)
        self.end(browser)
        return check

    def seen(self, browser: int, link: str, now: float) -> MailCheck:
        """Look up an opened link, which confirms nothing yet. Raises Refused: `elsewhere` for another browser."""
        self._expire(now)
        asked = self._links.get(link)
        if asked is None:
            raise Refused("expired")
        if asked != browser:
            raise Refused("elsewhere")
        check = self._open(browser, now)
        if check.confirmed:
            raise Refused("used")
        return check

    def confirm(self, browser: int, link: str, now: float) -> MailCheck:
        """Confirm a link by the button of its page: the browser may claim its proof. Raises Refused."""
        check = self.seen(browser, link, now)
        check.confirmed = True
        return check

    def claim(self, browser: int, now: float) -> MailCheck:
        """Return the check that the browser's link confirmed; it is used up. Raises Refused."""
        check = self._open(browser, now)
        if not check.confirmed:
            raise Refused("unconfirmed")
        self.end(browser)
        return check

    def end(self, browser: int) -> None:
        """Forget a browser's check."""
        check = self._checks.pop(browser, None)
        if check is not None:
            self._links.pop(check.link, None)

    def end_of(self, digest: bytes) -> None:
        """Forget the check of an address."""
        for browser in [browser for browser, check in self._checks.items() if check.digest == digest]:
            self.end(browser)

    def pack(self, now: float) -> Iterator[dict[str, Any]]:
        """Remove everything and yield it in pieces for another process, the latest first; times are ages, or seconds that remain."""
        while self._mails:
            mails = (self._mails.popitem() for _ in range(min(PIECE, len(self._mails))))
            yield {
                "mails": [
                    (kind, key.hex() if isinstance(key, bytes) else key, [now - time for time in times])
                    for (kind, key), times in mails
                ]
            }
        while self._checks:
            checks = (self._checks.popitem() for _ in range(min(PIECE, len(self._checks))))
            yield {
                "checks": [
                    (
                        browser,
                        one.digest.hex(),
                        one.domain,
                        one.code,
                        one.link,
                        one.until - now,
                        one.tries,
                        one.confirmed,
                    )
                    for browser, one in checks
                ]
            }
        self._links.clear()

    def unpack(self, piece: dict[str, Any], now: float) -> None:
        """Merge a piece, which is older than the checks here and is placed before them. Raises TypeError, ValueError."""
        for kind, name, ages in piece.get("mails", ()):
            key = (str(kind), bytes.fromhex(name) if kind == "box" else name)
            known = self._mails.get(key, [])
            if known or len(self._mails) < HISTORY_MAX:
                self._mails[key] = sorted([*known, *(now - float(age) for age in ages)])
                self._mails.move_to_end(key, last=bool(known))
        for browser, digest, domain, code, link, left, tries, confirmed in piece.get("checks", ()):
            if browser not in self._checks and len(self._checks) < CHECKS_MAX:
                check = MailCheck(bytes.fromhex(digest), domain, code, link, now + left, tries, confirmed)
                self._checks[browser] = check
                self._checks.move_to_end(browser, last=False)
                self._links[link] = browser

    def _open(self, browser: int, now: float) -> MailCheck:
        self._expire(now)
        check = self._checks.get(browser)
        if check is None:
            raise Refused("expired")
        return check

    def _expire(self, now: float) -> None:
        """Drop expired entries. All lifetimes are equal, so the oldest are first in both tables."""
        while self._checks:
            browser, check = next(iter(self._checks.items()))
            if check.until > now:
                break
            self.end(browser)
        while self._mails:
            key, times = next(iter(self._mails.items()))
            if times[-1] > now - HOUR:
                break
            del self._mails[key]

    def __len__(self) -> int:
        return len(self._checks)
