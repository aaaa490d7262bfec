"""Choose the two short lines of a reported chat by which a list shows its case: the line that the case is about, and the reported user's first.

**Invariant:** both are lines of the reported side, shortened, and are stored sealed in the row of the evidence, so that they are deleted with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from engine.matching.interest_normalisation import skeleton
from server.trust.evidence.chat_evidence import Evidence
from server.trust.screening.text_folding import letters_of

DOMAIN: Final = b"evidence.excerpt"
ABOUT_MOST: Final = 120  # characters of the line that a case is about
OPENER_MOST: Final = 240  # characters of an opener
FIRST: Final = 3  # lines of a side that may be its opener
LETTERS: Final = 24  # least letters of an opener: shorter ones are alike by chance


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Words of a chat. `about`: the line that the case is about; `opener`: how the reported user began, empty if that was short or is not known."""

    about: str = ""
    opener: str = ""


def excerpt_of(said: Evidence) -> Excerpt:
    """Return the excerpt of a reported chat.

    The case is about the first line that the report marks, else the first in which a rule matched, else the last of the reported side.
    """
    own = [line for line in said.lines if line.side == said.side]
    if not own:
        return Excerpt()
    matched = {one.number for one in said.found if one.side == said.side}
    about = next((line for line in own if line.marked), next((line for line in own if line.number in matched), own[-1]))
    first = () if said.cut else (line.text[:OPENER_MOST] for line in own[:FIRST])
    opener = next((text for text in first if len(folded(text)) >= LETTERS), "")
    return Excerpt(_short(about.text, ABOUT_MOST), opener)


def folded(text: str) -> str:
    """Return the letters of a text with look-alikes folded: the form in which openers are compared."""
    return letters_of(skeleton(text))


def pack_excerpt(found: Excerpt) -> str:
    """Return an excerpt as JSON, to be sealed."""
    return orjson.dumps([found.about, found.opener]).decode()


def unpack_excerpt(packed: str) -> Excerpt:
    """Return the excerpt of `pack_excerpt`; an empty one of anything else, as of a destroyed key."""
    try:
        about, opener = orjson.loads(packed)
    except (ValueError, TypeError):
        return Excerpt()
    return Excerpt(str(about), str(opener))


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
