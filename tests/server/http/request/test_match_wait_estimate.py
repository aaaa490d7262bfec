"""How long people usually wait."""

from engine.core.engine_histograms import MODES, WAIT_BOUNDS, Histogram
from server.http.request.match_wait_estimate import LEAST, WINDOW, UsualWait, median_wait


def histograms(*text: float) -> dict[str, Histogram]:
    """All modes; the waits are those of text."""
    made = {mode: Histogram(WAIT_BOUNDS) for mode in MODES}
    for wait in text:
        made["text"].add(wait)
    return made


def test_nothing_is_said_of_too_few() -> None:
    usual, waits = UsualWait(), histograms()
    assert usual.waits(waits, 0.0) == {}
    for _ in range(LEAST - 1):
        waits["text"].add(4.0)
    assert usual.waits(waits, 10.0) == {}


def test_half_of_those_who_had_to_wait_waited_no_longer() -> None:
    usual, waits = UsualWait(), histograms()
    usual.waits(waits, 0.0)
    for wait in (0.001,) * 100 + (2.0,) * 4 + (4.5,) * 4 + (25.0,) * 4:
        waits["text"].add(wait)
    assert usual.waits(waits, 10.0) == {"text": 5}


def test_what_is_older_than_the_window_counts_no_more() -> None:
    usual, waits = UsualWait(), histograms()
    usual.waits(waits, 0.0)
    for _ in range(20):
        waits["text"].add(30.0)
    assert usual.waits(waits, 60.0) == {"text": 30}
    for minute in range(2, 20):
        waits["text"].add(0.9)
        usual.waits(waits, 60.0 * minute)
    assert usual.waits(waits, WINDOW + 60.0 * 5) == {"text": 1}


def test_what_was_read_long_ago_says_nothing_of_now() -> None:
    usual, waits = UsualWait(), histograms()
    usual.waits(waits, 0.0)
    for _ in range(20):
        waits["text"].add(4.0)
    assert usual.waits(waits, 3 * WINDOW) == {}


def test_longer_than_a_minute_is_no_figure() -> None:
    counts = [0] * len(WAIT_BOUNDS) + [50]
    assert median_wait(WAIT_BOUNDS, counts) is None
