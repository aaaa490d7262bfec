"""Open checks: one a browser, five tries, ten minutes, and a mail an hour for an address."""

import pytest

from server.college.checks import HOUR, LIFE, MAILS_BROWSER, TRIES, Check, Checks, Refused


def begun(checks: Checks, browser: int = 1, digest: bytes = b"a", now: float = 0.0) -> Check:
    return checks.begin(browser, "192.0.2.1", digest, "uio.no", now)


def refusal(checks: Checks, browser: int, code: str, now: float) -> tuple[str, int]:
    with pytest.raises(Refused) as refused:
        checks.enter(browser, code, now)
    return refused.value.code, refused.value.figure


def test_a_code_is_good_once_and_for_its_browser() -> None:
    checks = Checks()
    check = begun(checks)
    assert refusal(checks, 2, check.code, 1.0)[0] == "expired"
    assert checks.enter(1, f" {check.code} ", 1.0) is check
    assert refusal(checks, 1, check.code, 1.0)[0] == "expired"
    assert len(checks) == 0


def test_wrong_codes_count_down_and_the_right_one_comes_too_late() -> None:
    checks = Checks()
    check = begun(checks)
    assert [refusal(checks, 1, "x", 1.0)[1] for _ in range(TRIES)] == list(range(TRIES - 1, -1, -1))
    assert refusal(checks, 1, check.code, 1.0)[0] == "expired"


def test_a_check_ends_after_its_life() -> None:
    checks = Checks()
    check = begun(checks)
    assert refusal(checks, 1, check.code, LIFE)[0] == "expired"


def test_a_link_confirms_in_its_own_browser_only_and_is_claimed_once() -> None:
    checks = Checks()
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
    checks = Checks()
    begun(checks)
    with pytest.raises(Refused, match="wait") as refused:
        begun(checks, now=600.0)
    assert refused.value.figure == HOUR - 600 + 1
    for number in range(1, MAILS_BROWSER):
        begun(checks, digest=bytes([number]), now=1.0)
    with pytest.raises(Refused, match="wait"):
        begun(checks, digest=b"z", now=2.0)
    begun(checks, now=HOUR + 1.0)
