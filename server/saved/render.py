"""A saved chat as words: names, times and sentences for the page, the text file and the JSON. Rule: Stranger 1 and 2, never "you".

What somebody wrote is shown by `shown` or `one_line`, and by nothing else: it may hold any character that Unicode has.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Sequence
from typing import Any

from server.store.transcript import Transcript

KINDS = {"text": "text", "video": "video", "spy": "a question discussed", "college": "college"}
_TURNS = (*range(8234, 8239), *range(8294, 8298), 8206, 8207, 1564)  # what turns the order of letters around
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what some program takes for the end of a line
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))  # what a terminal obeys
_CLEAN = dict.fromkeys((*_TURNS, *_CONTROLS)) | dict.fromkeys(map(ord, _BREAKS), "\n") | {ord("\t"): "\t"}
_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"))  # categories that leave no mark by themselves
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters by their category, and yet nothing is seen


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def day(at: int) -> str:
    """`24 November 2026`, UTC."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return f"{moment.day} {moment:%B %Y}"


def clock(at: int) -> str:
    """`16:05:09`, UTC."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M:%S}"


def shown(text: str) -> str:
    """A text without what commands a terminal or turns the order of letters around; it ends its lines by line feeds alone."""
    return text.replace("\r\n", "\n").translate(_CLEAN)


def one_line(text: str) -> str:
    """The same in one line."""
    return " ".join(shown(text).split())


def facts(said: Transcript) -> list[str]:
    """The sentences above the lines."""
    found = [f"{day(said.started)}, {KINDS.get(said.mode, said.mode)}."]
    if said.common:
        found.append(f"They both liked {listed([one_line(word) for word in said.common])}.")
    found += [
        f"Stranger {side + 1} studied at {one_line(college)}." for side, college in enumerate(said.colleges) if college
    ]
    if said.cut:
        found.append("The first messages are missing: a log keeps the last 1,000.")
    if said.account:
        found.append("Written down by one side, not checked by us.")
    return found


def context(said: Transcript) -> dict[str, Any]:
    """What the page's template shows."""
    return {
        "facts": facts(said),
        "question": one_line(said.question),
        "lines": [
            {
                "side": line.side + 1,
                "at": clock(line.at),
                "text": shown(line.text),
                "blank": blank(line.text),
            }
            for line in said.lines
        ],
    }


def blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(letter in _FILLERS or unicodedata.category(letter) in _UNSEEN for letter in text)


def as_text(said: Transcript) -> str:
    """Plain text. Controls of direction are left out: in plain text nothing else keeps one line's from reaching the next."""
    parts = ["A chat between two strangers", *facts(said)]
    if said.question:
        parts += ["", f"Question: {one_line(said.question)}"]
    parts += ["", *(f"[{clock(line.at)}] Stranger {line.side + 1}: {_set_in(line.text)}" for line in said.lines)]
    return "\n".join(parts) + "\n"


def _set_in(text: str) -> str:
    """A message that spans lines is set in, so that it cannot pass for another person's."""
    return shown(text).replace("\n", "\n    ")


def as_json(said: Transcript) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "mode": said.mode,
        "started": said.started,
        "cut": said.cut,
        "account": said.account,
        "common": list(said.common),
        "colleges": [college or None for college in said.colleges],
        "question": said.question or None,
        "messages": [{"from": line.side + 1, "time": line.at, "text": line.text} for line in said.lines],
    }
