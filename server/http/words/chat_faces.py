"""Derives a face (a number) and an evening's name for each of the two in a chat from the chat's id.

A face has 16 bits: colour (4), animal (5), second colour (4), shape (3), from the lowest. `server/site/web/face.js` derives the same.
**Invariant:** a face belongs to a chat, not to a person: it is computed from its random id alone, and the two of a chat differ in colour and name.
"""

from typing import Final

from server.http.words.sentence_formatter import Said

COLOUR: Final = 0xF  # the bits of a face that its colour shows
OPPOSITE: Final = 8  # what makes another colour of one
FACES: Final = 1 << 16


def faces_of(chat: str) -> tuple[int, int]:
    """Return the faces of side 0 and side 1 of a chat, by its id in hexadecimal. Raises ValueError for another text."""
    number = int(chat[-8:], 16)
    one, two = number & 0xFFFF, number >> 16
    return one, two if (one ^ two) & COLOUR else two ^ OPPOSITE


def name_of(face: int, t: Said) -> str:
    """Return the name of a face in a language: "Amber Heron"."""
    colours, animals = t.text("face.colours").split(", "), t.text("face.animals").split(", ")
    return t.text("face.name", colour=colours[face & 15], animal=animals[face >> 4 & 31])


def drawn(face: int) -> dict[str, int]:
    """Return what a page draws of a face: `hue`, `pale` (another colour) and `shape`."""
    hue, pale = face & 15, face >> 9 & 15
    return {"hue": hue, "pale": pale if pale != hue else (hue + 7) & 15, "shape": face >> 13 & 7}
