"""A saved chat as words: names, times and sentences for the page, the text file and the JSON. Rule: Stranger 1 and 2, never "you".

What somebody wrote is shown by `shown` or `one_line`, and by nothing else: it may hold any character that Unicode has.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Any

from server.data.records.transcript import Transcript
from server.http.words.sentences import Said

KINDS = ("text", "video", "spy", "college")
_TURNS = (*range(8234, 8239), *range(8294, 8298), 8206, 8207, 1564)  # what turns the order of letters around
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what some program takes for the end of a line
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))  # what a terminal obeys
_CLEAN = dict.fromkeys((*_TURNS, *_CONTROLS)) | dict.fromkeys(map(ord, _BREAKS), "\n") | {ord("\t"): "\t"}
_EMPTY = re.compile(r"\n(?:[ \t]*\n){2,}")  # more than one empty line in a row
LONG = (
    200,
    10,
)  # characters, line ends: what has more may be taller than a line of a page should be, and gets a place of its own to scroll in
DAY = 86_400  # seconds
PAUSE = 600  # seconds of silence after which it is said anew who speaks
_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"))  # categories that leave no mark by themselves
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters by their category, and yet nothing is seen


def clock(at: int) -> str:
    """`16:05:09`, UTC."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M:%S}"


def shown(text: str) -> str:
    """A text without what commands a terminal or turns the order of letters around; it ends its lines by line feeds alone."""
    return text.replace("\r\n", "\n").translate(_CLEAN)


def one_line(text: str) -> str:
    """The same in one line."""
    return " ".join(shown(text).split())


def kind_of(said: Transcript, t: Said) -> str:
    """How they talked: `text`, `a question discussed`; what no list has stands as it is."""
    return t.text(f"saved.kind.{said.mode}") if said.mode in KINDS else said.mode


def facts(said: Transcript, t: Said) -> list[str]:
    """The sentences above the lines."""
    found = [f"{t.day(said.started)}, {kind_of(said, t)}."]
    if said.common:
        found.append(t.text("saved.both", topics=t.listed([one_line(word) for word in said.common])))
    found += [
        t.text("saved.studied", n=side + 1, college=one_line(college))
        for side, college in enumerate(said.colleges)
        if college
    ]
    if said.cut:
        found.append(t.text("saved.cut"))
    if said.account:
        found.append(t.text("saved.account"))
    return found


def moment(at: int) -> str:
    """`2026-11-24T16:05:09Z`, for programs."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def lasted(said: Transcript, t: Said) -> str:
    """From its start to its last line: `under a minute`, `38 minutes`, `1 hour 5 minutes`."""
    minutes = max(0, (said.lines[-1].at if said.lines else said.started) - said.started) // 60
    if minutes < 60:
        return t.text("saved.minutes", n=minutes) if minutes else t.text("saved.moment")
    hours = t.text("saved.hours", n=minutes // 60)
    return f"{hours} {t.text('saved.minutes', n=minutes % 60)}" if minutes % 60 else hours


def context(said: Transcript, t: Said) -> dict[str, Any]:
    """What the page's template shows. What somebody wrote stands in `common`, `question` and `lines` alone: the template gives each a
    frame of its own, so that none of it can look like a word of ours."""
    return {
        "when": moment(said.started),
        "day": t.day(said.started),
        "about": t.text(
            "saved.about",
            time=clock(said.started)[:5],
            kind=kind_of(said, t),
            lasted=lasted(said, t),
            messages=t.text("saved.messages", n=len(said.lines)),
        ),
        "common": [word for word in map(one_line, said.common) if not blank(word)],
        "colleges": [one_line(college) for college in said.colleges],
        "question": one_line(said.question),
        "cut": said.cut,
        "account": said.account,
        "lines": _lines(said, t),
    }


def _lines(said: Transcript, t: Said) -> list[dict[str, Any]]:
    """The lines for the template: `turn` where it is said who speaks, `day` where another began."""
    found = []
    side, at = -1, said.started
    for line in said.lines:
        another = t.day(line.at) if line.at // DAY != at // DAY else ""
        text = _EMPTY.sub("\n\n", shown(line.text)).strip("\n")
        found.append(
            {
                "side": line.side + 1,
                "turn": bool(another) or line.side != side or line.at - at > PAUSE,
                "day": another,
                "at": clock(line.at)[:5],
                "when": moment(line.at),
                "text": text,
                "long": len(text) > LONG[0] or text.count("\n") > LONG[1],
                "blank": blank(line.text),
            }
        )
        side, at = line.side, line.at
    return found


def blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(letter in _FILLERS or unicodedata.category(letter) in _UNSEEN for letter in text)


def as_text(said: Transcript, t: Said) -> str:
    """Plain text. Controls of direction are left out: in plain text nothing else keeps one line's from reaching the next."""
    parts = [t.text("save.shared"), *facts(said, t)]
    if said.question:
        parts += ["", t.text("saved.asked", question=one_line(said.question))]
    names = [t.text("chat.strangern", n=side + 1) for side in range(2)]
    parts += ["", *(f"[{clock(line.at)}] {names[line.side]}: {_set_in(line.text)}" for line in said.lines)]
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
