"""Name the words by which the text model found something in the lines of a case, for its moderator.

**Invariant:** the model reads only lines in which it found something, of a case that is open, in a thread; nothing is kept but the model.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence

from engine.conduct.detection_classes import MODELLED, RULES
from server.trust.evidence.chat_evidence import Evidence
from server.trust.screening.text_folding import split_line
from server.trust.screening.text_model import BadModel, TextModel, read_model

Explanations = Mapping[tuple[str, str], str]  # of a rule and a line


async def explanations(texts: Sequence[Evidence]) -> Explanations:
    """Return the words by rule and line; empty where the model found nothing, or is not there."""
    wanted = {
        (hit.rule, line.text)
        for text in texts
        for hit in text.found
        for line in text.lines
        if hit.rule in MODELLED and hit.number == line.number
    }
    return await asyncio.to_thread(_explain, wanted) if wanted else {}


def _explain(wanted: set[tuple[str, str]]) -> Explanations:
    try:
        model = _model()
    except (BadModel, OSError):
        return {}  # the screening process has logged it
    return {
        (rule, line): ", ".join(model.explain(next(split_line(line)).text, RULES[rule].name)) for rule, line in wanted
    }


@functools.cache
def _model() -> TextModel:
    return read_model()
