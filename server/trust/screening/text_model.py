"""Score chat lines with the small text model: hashed character n-grams and words, and one logistic regression per class.

`bench.detection.train` makes the model's file. A score is a logit; from a threshold of its class on
it is a detection, of low or high confidence.
**Invariant:** a line costs TEXT_MAX characters at most, and nothing of it is kept after the call.
"""

import hashlib
import math
import zlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from engine.conduct.detection_classes import HIGH, LOW, RULES, Kind
from engine.conduct.detection_tips import GROOM
from server.trust.screening.text_folding import PIECE

FILE: Final = Path(__file__).parent / "text.model"
FILE_MAX: Final = 4 * 1024 * 1024
VERSION: Final = 1
OFF: Final = "off"  # values of `screening.model`
TIPS: Final = "tips"
NEVER: Final = 1e6  # a threshold that no logit reaches
TEXT_MAX: Final = PIECE  # characters that are read
LONGEST: Final = 5  # n-gram, in characters
FEATURES: Final = 8 * (TEXT_MAX + 2)  # of a line at most: n-grams, words, and two and three words in a row
WORDS: Final = 3  # of an explanation
_WIDE: Final = 0x2E80  # from here on scripts write a word in a few characters: pairs are features too


class BadModel(ValueError):
    """A file that is no model of this version; the text says why."""


class ModelClass(NamedTuple):
    """A class of the model. `scale`: of its weights; `low` and `high`: thresholds of its logit."""

    name: str
    bias: float
    scale: float
    low: float
    high: float


class ModelDetection(NamedTuple):
    """A class that the model found in a line, with its logit. `rule`: a row of `RULES`."""

    rule: str
    score: float

    @property
    def kind(self) -> Kind:
        """Class and confidence."""
        return RULES[self.rule]


def rule_of(name: str, confidence: str) -> str:
    """Return the rule by which a detection of the model is reported."""
    return f"{name}.model" if confidence == HIGH else f"{name}.model.low"


def read_use(chosen: str, wanted: frozenset[str] | None = None, path: Path = FILE) -> "ModelUse":
    """Return the model as the setting `screening.model` says. `wanted`: of `Rules`. Raises BadModel, OSError."""
    return ModelUse(read_model(path), wanted, only_tips=chosen == TIPS)


class ModelUse:
    """A model beside the rules. `wanted`: classes, or None for all; `only_tips`: each detection has low confidence.

    A request to a child is never of high confidence, and brings no tip: `only_tips` leaves it out.
    """

    def __init__(self, model: "TextModel", wanted: frozenset[str] | None, *, only_tips: bool) -> None:
        self._model = model
        self._only_tips = only_tips
        names = [one.name for one in model.classes if wanted is None or one.name in wanted]
        self._names = frozenset(name for name in names if not only_tips or name != GROOM)

    def rules(self, text: str, found: Sequence[Kind]) -> list[str]:
        """Return the rules of the model for a folded text, without those whose class was `found` with the same confidence or a higher one."""
        rules = []
        for one in self._model.find(text):
            name, confidence = one.kind
            if self._only_tips:
                confidence = LOW
            known = {kind.confidence for kind in found if kind.name == name}
            if name in self._names and HIGH not in known and confidence not in known:
                rules.append(rule_of(name, confidence))
        return rules

    def explain(self, text: str, rule: str) -> list[str]:
        """Return the words of a folded text that brought a rule of the model, the most important first."""
        return self._model.explain(text, RULES[rule].name)


class TextModel:
    """A model. `weights`: a row of int8 for each bucket, a column for each class; the number of buckets is a power of two."""

    def __init__(self, classes: Sequence[ModelClass], weights: bytes) -> None:
        self.classes = tuple(classes)
        self._count = len(self.classes)
        self._weights = array("b", weights)
        buckets = len(self._weights) // self._count
        if not buckets or buckets & (buckets - 1) or buckets * self._count != len(self._weights):
            raise BadModel("its weights are not a power of two of rows")
        self._mask = buckets - 1
        self._buckets = array("I", bytes(4 * FEATURES))
        self._sums = array("q", bytes(8 * self._count))

    def features(self, text: str) -> array[int]:
        """Return the buckets of a folded text, for training."""
        return array("I", [self._buckets[at] for at in range(self._hash(text))])

    def scores(self, text: str) -> list[float]:
        """Return the logit of each class for a folded text; of an empty text the bias."""
        size = self._hash(text)
        self._add(size)
        root = math.sqrt(size) if size else 1.0
        return [one.bias + one.scale * self._sums[place] / root for place, one in enumerate(self.classes)]

    def find(self, text: str) -> list[ModelDetection]:
        """Return the detections in a folded text."""
        found = []
        for one, score in zip(self.classes, self.scores(text), strict=True):
            if score >= one.low:
                found.append(ModelDetection(rule_of(one.name, HIGH if score >= one.high else LOW), score))
        return found

    def explain(self, text: str, name: str) -> list[str]:
        """Return the words of a folded text without which the logit of a class would fall most, WORDS at most, the most important first."""
        place = [one.name for one in self.classes].index(name)
        whole = self.scores(text[:TEXT_MAX])[place]
        words = text[:TEXT_MAX].split()
        falls = []
        for at, word in enumerate(words):
            fall = whole - self.scores(" ".join(words[:at] + words[at + 1 :]))[place]
            if fall > 0:
                falls.append((-fall, at, word))
        return list(dict.fromkeys([word for _, _, word in sorted(falls)]))[:WORDS]

    def _add(self, size: int) -> None:
        """Sum the weights of the first buckets, by class."""
        for place in range(self._count):
            self._sums[place] = 0
        for at in range(size):
            row = self._buckets[at] * self._count
            for place in range(self._count):
                self._sums[place] += self._weights[row + place]

    def _hash(self, text: str) -> int:
        """Write the buckets of a text; return their number.

        Digits are alike, and of a letter that is repeated two are read. FNV-1a in 32 bits.
        """
        codes = self._codes(text)
        size = len(codes)
        count = 0
        for begin in range(size):
            key = 2166136261
            least = 2 if codes[begin] >= _WIDE else 3
            for at in range(begin, min(begin + LONGEST, size)):
                key = ((key ^ codes[at]) * 16777619) & 0xFFFFFFFF
                if at - begin + 1 >= least:
                    self._buckets[count] = (key ^ (key >> 15)) & self._mask
                    count += 1
        key = before = earlier = 0
        for at in range(1, size):
            code = codes[at]
            if code > 32 and at < size - 1:
                key = (((key or 84696351) ^ code) * 16777619) & 0xFFFFFFFF
            elif key:
                self._buckets[count] = (key ^ (key >> 13)) & self._mask
                count += 1
                if before:
                    pair = ((before * 31 ^ key) * 16777619) & 0xFFFFFFFF
                    self._buckets[count] = (pair ^ (pair >> 15)) & self._mask
                    count += 1
                    if earlier:
                        pair = ((earlier * 961 ^ pair) * 16777619) & 0xFFFFFFFF
                        self._buckets[count] = (pair ^ (pair >> 15)) & self._mask
                        count += 1
                earlier = before
                before = key
                key = 0
        return count

    def _codes(self, text: str) -> array[int]:
        """Return the code points that are read, between a 2 and a 3."""
        codes = array("I", [2])
        last = again = 0
        for at in range(min(len(text), TEXT_MAX)):
            code = ord(text[at])
            if 48 <= code <= 57:
                code = 48
            again = again + 1 if code == last else 0
            if again < 2:
                codes.append(code)
            last = code
        codes.append(3)
        return codes


def read_model(path: Path = FILE) -> TextModel:
    """Return the model of a file: a line of JSON, and the compressed weights. Raises BadModel, OSError."""
    body = path.read_bytes()
    head, _, packed = body.partition(b"\n")
    try:
        if len(body) > FILE_MAX:
            raise BadModel(f"{path.name}: more than {FILE_MAX} bytes")
        about: dict[str, Any] = orjson.loads(head)
        if about["version"] != VERSION:
            raise BadModel(f"{path.name}: not of version {VERSION}")
        unpack = zlib.decompressobj()
        weights = unpack.decompress(packed, 4 * FILE_MAX)
        if hashlib.sha256(weights).hexdigest() != about["sha256"]:
            raise BadModel(f"{path.name}: its weights are not those that were written")
        classes = [ModelClass(**row) for row in about["classes"]]
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise error if isinstance(error, BadModel) else BadModel(f"{path.name}: {error}") from None
    rules = [
        rule_of(one.name, confidence)
        for one in classes
        for confidence in (LOW, HIGH)
        if one.high < NEVER or confidence == LOW
    ]
    if not classes or not RULES.keys() >= set(rules):
        raise BadModel(f"{path.name}: has no class, or an unknown one")
    return TextModel(classes, weights)


def write_model(path: Path, about: dict[str, Any], classes: Sequence[ModelClass], weights: bytes) -> None:
    """Write the file of a model; `about` joins the description. The same input makes the same bytes."""
    head = {
        "version": VERSION,
        "classes": [one._asdict() for one in classes],
        "sha256": hashlib.sha256(weights).hexdigest(),
        **about,
    }
    path.write_bytes(orjson.dumps(head) + b"\n" + zlib.compress(weights, 9))
