"""No parser of a stranger's text costs more than a bound: every parser with the text that is worst for it.

Rule: what is measured is CPU time of the thread, the least of a few tries, so that a busy machine only costs more tries; the bound is
ten times what the parser takes and a hundredth of what a quadratic one takes.
"""

import contextlib
import time
from collections.abc import Callable

import orjson
import pytest

from engine.errors import Refusal
from engine.matching.interests import BadInterest, normal
from engine.requests import Find, parse
from server.video.scrub import scrub

KIB = 1024
TRIES = 5


def spent(parse: Callable[[], object]) -> float:
    """Milliseconds of CPU that one call costs, the least of a few; a Refusal is an answer."""
    least = float("inf")
    for _ in range(TRIES):
        began = time.thread_time()
        with contextlib.suppress(Refusal):
            parse()
        least = min(least, time.thread_time() - began)
    return least * 1000


def offer(line: str) -> Callable[[], object]:
    """A description whose one long line is `line`, for somebody who hides the address."""
    body = {"description": {"type": "offer", "sdp": f"v=0\r\n{line}"[: 32 * KIB]}}
    return lambda: scrub(body)


def find(*words: str) -> Callable[[], object]:
    """The interests of a find, read and made keys of, as the engine does it."""
    payload = orjson.dumps({"type": "find", "interests": words})

    def run() -> None:
        request = parse(payload)
        assert isinstance(request, Find)
        with contextlib.suppress(BadInterest):
            for word in request.interests:
                normal(word)

    return run


# what, milliseconds at most, and the call
WORST: list[tuple[str, float, Callable[[], object]]] = [
    ("scrub: colons", 50, offer("a=x:" + ":" * 32 * KIB)),
    ("scrub: groups of hex digits", 50, offer("a=x:" + "a:" * 16 * KIB)),
    ("scrub: hex digits and one dot", 50, offer("a=x:" + "ab" * 15_900 + ".")),
    ("scrub: digits", 50, offer("a=fmtp:" + "1" * 32 * KIB + ".")),
    ("scrub: names of mDNS that are none", 50, offer("m=" + ".local-" * 4_500)),
    ("interests: what grows eighteen times, among what does not show", 15, find(*["\ufdfa" * 3 + "\u200b" * 253] * 8)),
    ("interests: what grows eighteen times", 15, find(*["\ufdfa" * 64] * 32)),
    ("interests: letters under many marks", 15, find(*["a" + "\u0301\u0323" * 31 + "b"] * 32)),
    ("interests: marks that are taken apart", 15, find(*["\u0f73\u0344" * 32] * 32)),
    ("interests: variation selectors", 15, find(*["a" + "\ufe0f" * 255] * 8)),
    ("interests: half characters", 15, find(*["\ufffe" * 64] * 32)),
    ("scrub: many lines of groups", 50, offer("\r\n".join(["a=x:" + "a:b:c:d:e:f:1:" * 10] * 220))),
]


@pytest.mark.parametrize(("what", "most", "parse"), WORST, ids=[what for what, _, _ in WORST])
def test_the_worst_text_costs_a_bounded_time(what: str, most: float, parse: Callable[[], object]) -> None:
    assert spent(parse) < most, what
