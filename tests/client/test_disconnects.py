"""Test which disconnects are final, and how long to wait after the others."""

import pytest

from serendip_client.disconnects import RETRY_MAX, Ending, closed, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("-1", None),
        (None, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("1e9", RETRY_MAX),
        ("nan", None),
    ],
)
def test_seconds_of_retry_after_are_bounded_and_nonsense_is_none(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    ("code", "final"), [(1001, False), (1006, False), (1012, False), (4008, False), (4003, True), (1000, True)]
)
def test_close_codes_say_whether_to_come_back(code: int, final: bool) -> None:
    assert closed(code, "", 2.0) == Ending(code, f"the connection ended ({code})", final, 2.0)


def test_no_code_is_a_drop() -> None:
    assert closed(None, "words", None) == Ending(1006, "words", False)
