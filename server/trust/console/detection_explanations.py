"""Name the words by which rules, the text model and the provider of text matched the lines of a case, for its moderator.

The screening process sends numbers and no text, so the words are looked up again when a case is read: by the rules as they are now.
**Invariant:** only lines in which something was detected are read, of a case that a moderator opened, in a thread; rules are loaded when a case
first needs them, from the file that the screening process keeps, if there is one. The provider reads the lines again, as it is now, if it answers in
time.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from engine.conduct.detection_classes import MODELLED, PROVIDED, RULES
from server.trust.evidence.chat_evidence import Evidence
from server.trust.screening.rule_cache import kept_phrases
from server.trust.screening.rule_compiler import BadRules, rules_stamp
from server.trust.screening.screening_rules import Rules, read_rules
from server.trust.screening.text_folding import split_line
from server.trust.screening.text_model import BadModel, TextModel, read_model
from server.trust.text_provider.provider_client import Explanation

Explanations = Mapping[tuple[str, str], str]  # of a rule and a line
AskProvider = Callable[[str], Awaitable[Sequence[Explanation]]]  # about a text
ASKED_MAX = 8  # lines of a case that the provider reads
Stamp = tuple[tuple[str, int, int], ...]


class DetectionWords:
    """Words of detections. `folder`: the operator's rules, None without; `data`: the data folder, None: no file keeps the rules; `ask_provider`: None
    without a provider of text.
    """

    def __init__(
        self, folder: Path | None = None, data: Path | None = None, ask_provider: AskProvider | None = None
    ) -> None:
        self._ask_provider = ask_provider
        self._folder = folder
        self._data = data
        self._loaded: tuple[Stamp, Rules] | None = None
        self._lock = threading.Lock()  # rules and model have scratch memory for one text

    async def explain(self, texts: Sequence[Evidence]) -> Explanations:
        """Return the words by rule and line; none for a rule that matches no more, or a model that is not there."""
        wanted = {
            (hit.rule, line.text)
            for text in texts
            for hit in text.found
            for line in text.lines
            if hit.rule in RULES and hit.number == line.number
        }
        provided = sorted({line for rule, line in wanted if rule in PROVIDED})[:ASKED_MAX]
        own = {(rule, line) for rule, line in wanted if rule not in PROVIDED}
        found = await asyncio.to_thread(self._explain, own) if own else {}
        for said in await asyncio.gather(*[self._by_provider(line) for line in provided]):
            found |= {key: words for key, words in said.items() if key in wanted}
        return found

    async def _by_provider(self, line: str) -> dict[tuple[str, str], str]:
        """Return the provider's confidence and words for a line, by class in both confidences: settings may have changed."""
        found: dict[tuple[str, str], str] = {}
        for one in await self._ask_provider(line) if self._ask_provider is not None else ():
            name = RULES[one.rule].name
            words = f"{one.confidence:.0%}: {one.words}" if one.words else f"{one.confidence:.0%}"
            found |= {(rule, line): words for rule in PROVIDED if RULES[rule].name == name}
        return found

    def _explain(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for rule, line in wanted:
            with self._lock:
                words = self._by_model(rule, line) if rule in MODELLED else self._by_rule(rule, line)
            if words:
                found[rule, line] = words
        return found

    def _by_rule(self, rule: str, line: str) -> str:
        try:
            rules = self._rules()
        except (BadRules, OSError):
            return ""  # the screening process has logged it
        return next((one.text.strip() for one in rules.find(line) if one.rule == rule), "")

    def _rules(self) -> Rules:
        """Return the rules, read again after a change of the operator's files. Raises BadRules, OSError."""
        stamp = rules_stamp(self._folder)
        if self._loaded is None or self._loaded[0] != stamp:
            own = kept_phrases(self._data) if self._data is not None else None
            self._loaded = stamp, read_rules(self._folder, None, own)
        return self._loaded[1]

    def _by_model(self, rule: str, line: str) -> str:
        try:
            model = self._model
        except (BadModel, OSError):
            return ""  # the screening process has logged it
        return ", ".join(model.explain(next(split_line(line)).text, RULES[rule].name))

    @functools.cached_property
    def _model(self) -> TextModel:
        return read_model()
