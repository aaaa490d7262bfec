"""Name the counts of a chat, by words of fixed lists: mode and hour of the start, length, ending, language.

**Invariant:** no name contains what a client wrote, so there are some 250 of them.
"""

from __future__ import annotations

from typing import Final

HOUR: Final = 3_600
DAY: Final = 86_400
DAYS: Final = {"weekday": 5, "weekend": 2, "day": 7}  # days of a week, by kind; `day`: all
LENGTHS: Final = (60, 180, 600, 1_800, 3_600)  # seconds that a chat lasted, less than; the sixth class is longer
MODES: Final = ("text", "video", "spy", "college")
ENDINGS: Final = ("left", "lost", "moderation", "restart")  # `left`: by one of the two
OTHER: Final = "other"
# Those that the page offers to chat in (`languages.js`): the names of counts are a fixed list, whatever a client writes.
LANGUAGES: Final = frozenset(
    "en ar bn cs da de el es fa fi fr he hi hu id it ja ko nb nl pl pt ro ru sv th tr uk ur vi zh".split()  # noqa: SIM905 - as there
)


def weekday_of(at: int) -> str:
    """Return whether a Unix time is on a `weekday` or a `weekend`, UTC."""
    return "weekend" if (at // DAY + 3) % 7 > 4 else "weekday"


def names_of(mode: str, how: str, started: int, length: int, language: str) -> tuple[str, str, str, str]:
    """Return the names of the counts of a chat. `length`: its class, an index of LENGTHS, or their number; `language`: of LANGUAGES, or OTHER.

    Another mode or ending counts as the first of its list.
    """
    return (
        f"hour/{weekday_of(started)}/{started % DAY // HOUR:02}/{mode if mode in MODES else MODES[0]}",
        f"length/{(*LENGTHS, 0)[length]}",
        f"ending/{how if how in ENDINGS else ENDINGS[0]}",
        f"language/{language}",
    )
