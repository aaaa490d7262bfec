"""Provide example cases, invented and with a known answer, on which a moderator practises.

**Invariant:** an example is no case: it has no row, no queue and no effect, and is in no figure. Its chat is shown as it was written; the
explanation (`console.lesson.NAME`) is translated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ExampleCase:
    """An example. `lines`: (1 for the reported side, text); `reason`: of the report; `measures`: acceptable ones, the best first; `rule`: empty if
    nothing follows.
    """

    name: str
    reason: str
    lines: tuple[tuple[int, str], ...]
    measures: tuple[str, ...]
    rule: str


EXAMPLES: Final = (
    ExampleCase(
        "advert", "spam",
        ((1, "hey cutie, i have a private show tonight, come to annasroom dot live"), (0, "no thanks"), (1, "its free for the first 10 min")),
        ("ban",), "R5",
    ),
    ExampleCase(
        "song", "threat",
        ((0, "what are you listening to"), (1, "bohemian rhapsody"), (1, "mama, just killed a man"), (0, "??? reported")),
        ("none",), "",
    ),
    ExampleCase(
        "threat", "threat",
        ((0, "lol you lost"), (1, "say that again"), (1, "i know which school you go to. wait for me tomorrow, you will not walk home")),
        ("ban",), "R3",
    ),
    ExampleCase(
        "next", "other",
        ((0, "hi"), (1, "hi"), (0, "m or f"), (1, "bye"), (0, "rude")),
        ("none",), "",
    ),
    ExampleCase(
        "insult", "hate",
        ((1, "where are you from"), (0, "poland"), (1, "ah, a pole. your people are vermin"), (0, "wow")),
        ("warning", "ban"), "R4",
    ),
    ExampleCase(
        "reclaimed", "hate",
        ((0, "how was pride"), (1, "so good, us queers danced until 5"), (0, "you can't say that word")),
        ("none",), "",
    ),
    ExampleCase(
        "private", "other",
        ((1, "my ex blocked me so"), (1, "her number is 555 0134 222, call her at night, all of you"), (0, "that's not ok")),
        ("ban",), "R6",
    ),
    ExampleCase(
        "stop", "hate",
        ((1, "talk dirty to me"), (0, "no, please stop"), (1, "come on"), (0, "stop"), (1, "you know you want it, talk dirty")),
        ("warning", "pause"), "R4",
    ),
    ExampleCase(
        "brigade", "spam",
        ((1, "hello, how are you?"), (0, "fine"), (1, "what do you do?"), (0, "we report you all now haha")),
        ("none",), "",
    ),
    ExampleCase(
        "young", "minor",
        ((0, "asl"), (1, "14 f, you?"), (0, "i should go, this is for adults"), (1, "ok, nobody checks")),
        ("pass", "age"), "R1",
    ),
)  # fmt: skip
