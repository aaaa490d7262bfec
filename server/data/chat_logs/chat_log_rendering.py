"""Render a saved chat for the web page, the text file and the JSON download.

**Invariant:** participants are Stranger 1 and 2, never "you". User text may hold any Unicode character, so it passes through `shown` or `one_line`,
which make it safe to display.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Any

from engine.wire.protocol import FACES
from server.data.records.transcript import Line, Transcript
from server.http.words.chat_faces import drawn, name_of
from server.http.words.sentence_formatter import Said

KINDS = ("text", "video", "spy", "college")
_TURNS = (*range(8234, 8239), *range(8294, 8298), 8206, 8207, 1564)  # direction controls
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # characters that some program takes for a line end
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))  # terminal controls
_CLEAN = dict.fromkeys((*_TURNS, *_CONTROLS)) | dict.fromkeys(map(ord, _BREAKS), "\n") | {ord("\t"): "\t"}
_EMPTY = re.compile(r"\n(?:[ \t]*\n){2,}")  # more than one empty line in a row
LONG = (
    200,
    10,
)  # characters, line ends: a longer message gets a scrolling frame of its own
DAY = 86_400  # seconds
PAUSE = 600  # seconds of silence after which the speaker is named again
_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"))  # categories that leave no mark by themselves
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters by their category, and yet invisible


def clock(at: int) -> str:
    """Return `16:05:09`, UTC."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M:%S}"


def shown(text: str) -> str:
    """Return a text without terminal controls and direction controls, with line feeds as the only line ends."""
    return text.replace("\r\n", "\n").translate(_CLEAN)


def one_line(text: str) -> str:
    """Return the text of `shown` in one line."""
    return " ".join(shown(text).split())


def kind_of(said: Transcript, t: Said) -> str:
    """Return the kind of chat in words: `text`, `a question discussed`; an unknown mode as it is."""
    return t.text(f"saved.kind.{said.mode}") if said.mode in KINDS else said.mode


def facts(said: Transcript, t: Said) -> list[str]:
    """Return the sentences above the lines."""
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
    """Return `2026-11-24T16:05:09Z`, for programs."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def lasted(said: Transcript, t: Said) -> str:
    """Return the time from the start to the last line: `under a minute`, `38 minutes`, `1 hour 5 minutes`."""
    minutes = max(0, (said.lines[-1].at if said.lines else said.started) - said.started) // 60
    if minutes < 60:
        return t.text("saved.minutes", n=minutes) if minutes else t.text("saved.moment")
    hours = t.text("saved.hours", n=minutes // 60)
    return f"{hours} {t.text('saved.minutes', n=minutes % 60)}" if minutes % 60 else hours


def context(said: Transcript, t: Said) -> dict[str, Any]:
    """Return the values for the page's template.

    User text is in `common`, `question` and `lines` only: the template frames each, so that none of it can pass for the site's own words.
    """
    return {
        "when": moment(said.started),
        "day": t.day(said.started),
        "about": t.text(
            "saved.about",
            time=clock(said.started)[:5],
            kind=kind_of(said, t),
            lasted=lasted(said, t),
            messages=t.text("saved.messages", n=sum(not line.picture for line in said.lines)),
        ),
        "common": [word for word in map(one_line, said.common) if not blank(word)],
        "colleges": [one_line(college) for college in said.colleges],
        "question": one_line(said.question),
        "cut": said.cut,
        "account": said.account,
        "lines": _lines(said, t),
    }


def _lines(said: Transcript, t: Said) -> list[dict[str, Any]]:
    """Return the lines for the template: `turn` if the speaker is named again, `day` if a new day began."""
    found = []
    seen_as = [{**drawn(face), "name": name_of(face, t)} for face in said.masks]
    side, at = -1, said.started
    for line in said.lines:
        another = t.day(line.at) if line.at // DAY != at // DAY else ""
        text = _EMPTY.sub("\n\n", shown(line.text)).strip("\n")
        found.append(
            {
                "side": line.side + 1,
                "face": seen_as[line.side] if seen_as else None,
                "turn": bool(another) or line.side != side or line.at - at > PAUSE,
                "day": another,
                "at": clock(line.at)[:5],
                "when": moment(line.at),
                "text": text,
                "long": len(text) > LONG[0] or text.count("\n") > LONG[1],
                "blank": blank(line.text),
                "picture": line.picture,
                "faces": [
                    {"side": side + 1, "emoji": FACES[face], "name": t.text(f"react.{face}")}
                    for side, face in faces(line)
                ],
            }
        )
        side, at = line.side, line.at
    return found


def faces(line: Line) -> list[tuple[int, str]]:
    """Return the reactions to a line as (side, face), without faces that this release does not know."""
    return [(side, face) for side, face in line.faces if face in FACES and side in (0, 1)]


def blank(text: str) -> bool:
    """Return whether no character of a text is visible."""
    return all(letter in _FILLERS or unicodedata.category(letter) in _UNSEEN for letter in text)


def as_text(said: Transcript, t: Said) -> str:
    """Return plain text, without direction controls: in plain text, nothing else keeps those of one line from affecting the next."""
    parts = [t.text("save.shared"), *facts(said, t)]
    if said.question:
        parts += ["", t.text("saved.asked", question=one_line(said.question))]
    names = [t.text("chat.strangern", n=side + 1) for side in range(2)]
    parts.append("")
    for line in said.lines:
        said_then = t.text("photo.log") if line.picture else _set_in(line.text)
        parts.append(f"[{clock(line.at)}] {names[line.side]}: {said_then}")
        parts += [f"    {names[side]}: {FACES[face]}" for side, face in faces(line)]
    return "\n".join(parts) + "\n"


def _set_in(text: str) -> str:
    """Indent the further lines of a message, so that they cannot pass for another participant's."""
    return shown(text).replace("\n", "\n    ")


def as_json(said: Transcript) -> dict[str, Any]:
    """Return the chat as plain values."""
    return {
        "mode": said.mode,
        "started": said.started,
        "cut": said.cut,
        "account": said.account,
        "common": list(said.common),
        "colleges": [college or None for college in said.colleges],
        "question": said.question or None,
        "messages": [
            {"from": line.side + 1, "time": line.at, "text": line.text}
            | ({"reactions": [{"from": side + 1, "face": face} for side, face in faces(line)]} if line.faces else {})
            | ({"picture": True} if line.picture else {})
            for line in said.lines
        ],
    }
