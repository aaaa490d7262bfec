"""The open checks: who asked for a mail, with which code and link. Rule: memory only, bounded, ten minutes, five tries, compared in constant time.

A check is the browser's that asked for it (its identity cookie): a link that is opened elsewhere proves nothing there,
and nobody can have a stranger confirm an address for them.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

LIFE: Final = 600.0  # seconds in which code and link are good
TRIES: Final = 5  # of a million codes
HOUR: Final = 3600.0  # one mail an address
MAILS_BROWSER: Final = 3  # an hour, of one browser: a typing error or two
MAILS_ADDRESS: Final = 10  # an hour, of one network address: a lecture hall is served in a while
CHECKS_MAX: Final = 10_000
HISTORY_MAX: Final = 100_000  # remembered mails; when it is full nobody is mailed
PIECE: Final = 500  # checks, or mails, that go to another process at once


class Refused(Exception):
    """What is asked for is not to be had: `code` for the page, `figure` seconds to wait or tries left."""

    def __init__(self, code: str, figure: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.figure = figure


@dataclass(slots=True)
class Check:
    """One open check."""

    digest: bytes
    domain: str
    code: str
    link: str
    until: float
    tries: int = TRIES
    confirmed: bool = False


class Checks:
    """All open checks, one a browser. `draw`: gives a link that nobody guesses."""

    def __init__(self, draw: Callable[[], str] = lambda: secrets.token_urlsafe(16)) -> None:
        self._draw = draw
        self._checks: OrderedDict[int, Check] = OrderedDict()
        self._links: dict[str, int] = {}
        self._mails: OrderedDict[tuple[str, bytes | int | str], list[float]] = OrderedDict()

    def begin(self, browser: int, address: str, digest: bytes, domain: str, now: float) -> Check:
        """A new check of a browser, in place of an older one. `browser`: its identity, not 0. Raises Refused."""
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
        check = Check(digest, domain, f"{secrets.randbelow(1_000_000):06d}", self._draw(), now + LIFE)
        self._checks[browser] = check
        self._links[check.link] = browser
        return check

    def enter(self, browser: int, code: str, now: float) -> Check:
        """The code was typed; the check is used. Raises Refused."""
        check = self._open(browser, now)
        if check.tries < 1:
            raise Refused("expired")
        check.tries -= 1
        if not hmac.compare_digest(check.code.encode(), code.strip().encode("utf-8", "replace")):
            raise Refused("wrong", check.tries)
        self.end(browser)
        return check

    def seen(self, browser: int, link: str, now: float) -> Check:
        """The link was opened, which confirms nothing yet. Raises Refused: `elsewhere` for another browser."""
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

    def confirm(self, browser: int, link: str, now: float) -> Check:
        """The link's page was confirmed: the browser may claim its proof. Raises Refused."""
        check = self.seen(browser, link, now)
        check.confirmed = True
        return check

    def claim(self, browser: int, now: float) -> Check:
        """The browser fetches what its link confirmed; the check is used. Raises Refused."""
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
        """Take all of it out for another process, in pieces, the latest first; seconds are ages, and what is left of a life."""
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
        """Take a piece in: older than what is here, so that it stands before it. Raises TypeError, ValueError."""
        for kind, name, ages in piece.get("mails", ()):
            key = (str(kind), bytes.fromhex(name) if kind == "box" else name)
            known = self._mails.get(key, [])
            if known or len(self._mails) < HISTORY_MAX:
                self._mails[key] = sorted([*known, *(now - float(age) for age in ages)])
                self._mails.move_to_end(key, last=bool(known))
        for browser, digest, domain, code, link, left, tries, confirmed in piece.get("checks", ()):
            if browser not in self._checks and len(self._checks) < CHECKS_MAX:
                check = Check(bytes.fromhex(digest), domain, code, link, now + left, tries, confirmed)
                self._checks[browser] = check
                self._checks.move_to_end(browser, last=False)
                self._links[link] = browser

    def _open(self, browser: int, now: float) -> Check:
        self._expire(now)
        check = self._checks.get(browser)
        if check is None:
            raise Refused("expired")
        return check

    def _expire(self, now: float) -> None:
        """Every life is the same, so the oldest stand first in both tables."""
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
