"""The bench of video makes real calls, and says what falls short."""

from typing import Any

import pytest

from bench.video import media_calls, signalling, video


def document(**other: Any) -> dict[str, Any]:
    """Results with nothing to complain of, but for what `other` says."""
    found: dict[str, Any] = {
        "calls signalled a second of one core, direct": video.SIGNALLED_MIN,
        "server's CPU while calls run": 0.001,
        "server's CPU without calls": 0.001,
        "frames a second of the slowest peer": 30.0,
    }
    for what in ("frame", "picture in Chromium"):
        found |= {f"matched to first {what}, {way}, p99": 1.0 for way in video.WAYS}
    found |= {f"{name} while calls run": 0.0 for name in media_calls.TRAFFIC}
    return found | other


@pytest.mark.parametrize("hidden", [False, True])
def test_calls_are_signalled_by_real_clients_on_a_real_server(hidden: bool) -> None:
    made = signalling.measure(400, hidden=hidden)
    assert made.calls >= 400
    assert made.cpu > 0


def test_everybody_calls_everybody_once() -> None:
    met = [pair for turn in range(signalling.PEOPLE) for pair in signalling.pairs(turn)]
    assert len(met) == len(set(met)) == signalling.PEOPLE * (signalling.PEOPLE - 1) // 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("calls signalled a second of one core, direct", 1_999.0),
        ("matched to first frame, direct, p99", 1.6),
        ("matched to first frame, relay, p99", 2.6),
        ("matched to first picture in Chromium, direct, p99", 1.6),
        ("serendip_sent_bytes_total while calls run", 1.0),
        ("server's CPU while calls run", 0.1),
        ("frames a second of the slowest peer", 3.0),
    ],
)
def test_what_falls_short_is_said(name: str, value: float) -> None:
    assert video.falls_short(document()) == []
    assert len(video.falls_short(document(**{name: value}))) == 1
