"""Open checks: one a browser, five tries, ten minutes, and a mail an hour for an address."""

import dataclasses

import orjson
import pytest

from server.site.college import pending_verifications as module
from server.site.college.pending_verifications import HOUR, LIFE, MAILS_BROWSER, TRIES, MailCheck, MailChecks, Refused


def begun(checks: MailChecks, browser: int = 1, digest: bytes = b"a", now: float = 0.0) -> MailCheck:
    return checks.begin(browser, "192.0.2.1", digest, "uio.no", now)


def refusal(checks: MailChecks, browser: int, code: str, now: float) -> tuple[str, int]:
    with pytest.raises(Refused) as refused:
        checks.enter(browser, code, now)
    return refused.value.code, refused.value.figure


def test_a_code_is_good_once_and_for_its_browser() -> None:
    checks = MailChecks()
    check = begun(checks)
    assert refusal(checks, 2, check.code, 1.0)[0] == "expired"
    assert checks.enter(1, f" {check.code} ", 1.0) is check
    assert refusal(checks, 1, check.code, 1.0)[0] == "expired"
    assert len(checks) == 0


def test_wrong_codes_count_down_and_the_right_one_comes_too_late() -> None:
    checks = MailChecks()
    check = begun(checks)
    assert [refusal(checks, 1, "x", 1.0)[1] for _ in range(TRIES)] == list(range(TRIES - 1, -1, -1))
    assert refusal(checks, 1, check.code, 1.0)[0] == "expired"


def test_a_check_ends_after_its_life() -> None:
    checks = MailChecks()
    check = begun(checks)
    assert refusal(checks, 1, check.code, LIFE)[0] == "expired"


def test_a_link_confirms_in_its_own_browser_only_and_is_claimed_once() -> None:
    checks = MailChecks()
    check = begun(checks)
    with pytest.raises(Refused, match="elsewhere"):
        checks.confirm(2, check.link, 1.0)
    with pytest.raises(Refused, match="unconfirmed"):
        checks.claim(1, 1.0)
    checks.confirm(1, check.link, 1.0)
    with pytest.raises(Refused, match="used"):
        checks.seen(1, check.link, 1.0)
    assert checks.claim(1, 1.0) is check
    with pytest.raises(Refused, match="expired"):
        checks.claim(1, 1.0)


def test_an_address_is_mailed_once_an_hour_and_a_browser_asks_three_times() -> None:
    checks = MailChecks()
    begun(checks)
    with pytest.raises(Refused, match="wait") as refused:
        begun(checks, now=600.0)
    assert refused.value.figure == HOUR - 600 + 1
    for number in range(1, MAILS_BROWSER):
        begun(checks, digest=bytes([number]), now=1.0)
    with pytest.raises(Refused, match="wait"):
        begun(checks, digest=b"z", now=2.0)
    begun(checks, now=HOUR + 1.0)


def moved(checks: MailChecks, now: float, there: float, into: MailChecks | None = None) -> MailChecks:
    """All of it in another process, whose clock says `there`."""
    into = into or MailChecks()
    for piece in checks.pack(now):
        into.unpack(orjson.loads(orjson.dumps(piece)), there)
    assert len(checks) == 0
    return into


def test_open_checks_and_what_was_tried_go_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    checks = MailChecks()
    made = [begun(checks, browser, bytes([browser]), float(browser)) for browser in range(1, 6)]
    refusal(checks, 1, "x", 6.0)
    checks.confirm(2, made[1].link, 6.0)
    there = moved(checks, 10.0, 1010.0)
    assert len(there) == 5
    with pytest.raises(Refused, match="expired"):
        checks.seen(2, made[1].link, 10.0)
    assert there.claim(2, 1010.0) == dataclasses.replace(made[1], until=made[1].until + 1000)
    assert refusal(there, 1, "x", 1010.0) == ("wrong", TRIES - 2)
    assert there.enter(3, made[2].code, 1010.0).link == made[2].link
    with pytest.raises(Refused, match="wait") as refused:
        begun(there, 9, bytes([4]), 1010.0)
    assert refused.value.figure == HOUR - 6 + 1
    assert refusal(there, 4, made[3].code, 1000.0 + made[3].until)[0] == "expired"
    assert [*there._checks] == [5], "the oldest end first, as they would have"


def test_what_comes_from_another_process_stands_before_what_is_here_and_both_count() -> None:
    here = MailChecks()
    own = here.begin(7, "192.0.2.1", b"own", "uio.no", 1005.0)
    checks = MailChecks()
    for number in range(2):
        checks.begin(8 + number, "192.0.2.1", bytes([number]), "uio.no", 1.0)
    moved(checks, 10.0, 1010.0, here)
    assert [*here._checks] == [8, 9, 7]
    assert here.enter(7, own.code, 1010.0) is own
    assert here._mails["address", "192.0.2.1"] == [1001.0, 1001.0, 1005.0]
    assert here._mails["box", b"own"] == [1005.0]


def test_the_check_of_an_address_is_forgotten_where_its_mail_is_given_up() -> None:
    checks = MailChecks()
    check = begun(checks)
    begun(checks, 2, b"b")
    checks.end_of(check.digest)
    assert [*checks._checks] == [2]
