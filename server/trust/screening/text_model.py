"""Score chat lines with the small text model: hashed character n-grams and words, and one logistic regression per class.

`ext.text.hashed_classifier` computes the scores. `bench.detection.train` makes the model's file. A score is a logit; from a threshold of its class on
it is a detection, of low or high confidence; a very short line is never of high confidence.
**Invariant:** a line costs TEXT_MAX characters at most, and nothing of it is kept after the call.
"""

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from engine.conduct.detection_classes import HIGH, LOW, RULES, Kind
from engine.conduct.detection_consequences import CONSEQUENCES, GROOM, THREAT
from ext.text.hashed_classifier import HashedClassifier
from server.trust.screening.line_patterns import LONG, has_laughter
from server.trust.screening.text_folding import PIECE

FILE: Final = Path(__file__).parent / "text.model"
FILE_MAX: Final = 4 * 1024 * 1024
VERSION: Final = 1
OFF: Final = "off"  # values of `screening.model`
TIPS: Final = "tips"
NEVER: Final = 1e6  # a threshold that no logit reaches
TEXT_MAX: Final = PIECE  # characters that are read
# Classes of which the same follows at both confidences: one sign, as the model is, is of low confidence then.
SAME: Final = frozenset(
    kind.name for kind, row in CONSEQUENCES.items() if kind.confidence == LOW and CONSEQUENCES[Kind(kind.name)] == row
)
WORDS: Final = 3  # of an explanation
EVIDENCE_MIN: Final = 50  # different features (about three words), below which a line is too short for high confidence


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
    """Return the rule by which a detection of the model is reported: of low confidence in a class of SAME."""
    return f"{name}.model" if confidence == HIGH and name not in SAME else f"{name}.model.low"


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

    @property
    def classifier(self) -> HashedClassifier:
        """The classifier that computes its scores: a line in which it finds nothing has no class."""
        return self._model.classifier

    def rules(self, text: str, found: Sequence[Kind]) -> list[str]:
        """Return the rules of the model for a folded text, without those whose class was `found` with the same confidence or a higher one."""
        rules = []
        for one in self._model.find(text):
            name, confidence = one.kind
            if self._only_tips or (name == THREAT and (len(text) > LONG or has_laughter(text))):
                confidence = LOW  # as the rules
            known = {kind.confidence for kind in found if kind.name == name}
            if name in self._names and HIGH not in known and confidence not in known:
                rules.append(rule_of(name, confidence))
        return rules

    def explain(self, text: str, rule: str) -> list[str]:
        """Return the words of a folded text that brought a rule of the model, the most important first."""
        return self._model.explain(text, RULES[rule].name)


class TextModel:
    """A model. `weights`: a row of int8 for each bucket, a column for each class; the number of buckets is a power of two. Raises BadModel."""

    def __init__(self, classes: Sequence[ModelClass], weights: bytes) -> None:
        self.classes = tuple(classes)
        try:
            self.classifier = HashedClassifier(weights, [(one.bias, one.scale, one.low) for one in classes], TEXT_MAX)
        except ValueError as error:
            raise BadModel(str(error)) from None

    def features(self, text: str) -> list[int]:
        """Return the buckets of a folded text, for training."""
        return self.classifier.features(text)

    def scores(self, text: str) -> list[float]:
        """Return the logit of each class for a folded text; of an empty text the bias."""
        return self.classifier.scores(text)

    def find(self, text: str) -> list[ModelDetection]:
        """Return the detections in a folded text."""
        found = []
        for place, score in self.classifier.find(text):
            one = self.classes[place]
            is_high = score >= one.high and self.has_evidence(text)
            found.append(ModelDetection(rule_of(one.name, HIGH if is_high else LOW), score))
        return found

    def has_evidence(self, text: str) -> bool:
        """Whether a folded text has enough different features for high confidence: one or two words, or one repeated, bring extreme logits."""
        return len(set(self.features(text))) >= EVIDENCE_MIN

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
