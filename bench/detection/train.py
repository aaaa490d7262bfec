"""Train the small text model on the halves `seen` of all sets, and write its file: `python -m bench train`.

For each class a logistic regression (one against the rest) over the hashed features of `server.trust.screening.text_model`, by AdaGrad, rounded to
int8. Thresholds come from a part of the groups that a first training leaves out, and from ordinary conversations that no training reads.
**Invariant:** no line of `held` is read, and the same lines make the same bytes.
"""

# numpy alone: scikit-learn would add two packages to save some thirty lines of arithmetic.

import argparse
import hashlib
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.detection.conversations import Conversation, conversations
from bench.detection.detection import labelled_sets
from bench.detection.labelled_lines import OWN, SEEN, LabelledSet, pinned_files, template_of
from bench.detection.public_files import missing_files, sets_folder
from engine.conduct.detection_consequences import GROOM, HATE
from server.trust.screening.text_folding import split_line
from server.trust.screening.text_model import FILE, NEVER, ModelClass, TextModel, write_model

BUCKETS: Final = 1 << 17
# Class of the model to the class of the sets, and the sets whose lines say nothing about it: threats are in hateful lines too.
KINDS: Final = {"threat": "threat", "self-harm": "selfharm", "hate": "hate", "groom": "grooming", "money": "advert"}
UNSURE: Final = {
    "threat": ("hate", "insult"), "self-harm": (), "hate": ("insult", "threat"), "groom": ("advert", "data"), "money": ("grooming", "data"),
}  # fmt: skip
SEED: Final = 45  # of the order of lines
EPOCHS: Final = 12
BATCH: Final = 256  # lines of a step
RATE: Final = 0.2  # of a step
FIRST_SQUARE: Final = 1e-8  # of AdaGrad's sums
DECAY: Final = 2e-6  # of the squared weights
OWN_WEIGHT: Final = 3.0  # of a line of our own, which is written as users write; the public sets have a hundred times as many about hate
KEPT_ASIDE: Final = 5  # one group of so many is left out of the first training
ORDINARY: Final = 4  # one conversation of so many is trained on; on the rest the thresholds are set
PRECISION: Final = {"low": 0.85, "high": 0.95}  # of the lines left out, at least
HINTS: Final = frozenset(
    (GROOM,)
)  # classes whose lines are ordinary without a second statement: never of high confidence
WRONG: Final = {
    "low": 0.08,
    "high": 0.02,
}  # of the ordinary lines of the class's sets, at most
WRONG_OF: Final = {HATE: 0.01}  # the same of a class whose tip accuses the writer: the name of a group is no hate
ALARMS: Final = {"low": 0.7, "high": 0.2}  # false alarms in 1,000 conversations at most
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Sample(NamedTuple):
    """Lines to train on: their texts, folded; the class of their set; by class of the model 1, 0, or NaN (says nothing); their weights; and
    whether each is left out first.
    """

    texts: list[str]
    kinds: list[str]
    labels: dict[str, Floats]
    weights: Floats
    aside: NDArray[np.bool_]


class Matrix(NamedTuple):
    """Features of lines, row after row: buckets, and the beginning of each row and of the one behind the last."""

    buckets: Ints
    begins: Ints

    def some(self, rows: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the buckets of some rows, the place of the row of each, and the factor of each row."""
        sizes = self.begins[rows + 1] - self.begins[rows]
        places = np.repeat(np.arange(len(rows)), sizes)
        inside = np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return (
            self.buckets[np.repeat(self.begins[rows], sizes) + inside],
            places,
            (1 / np.sqrt(sizes)).astype(np.float32),
        )


def digest(*names: str) -> int:
    """Return a number of a name: the same on each machine."""
    return int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:4], "big")


def folded(text: str) -> str:
    """Return what the model reads of a line: its first piece."""
    return next(split_line(text)).text


def sample(sets: Iterable[LabelledSet], chats: Iterable[Conversation]) -> Sample:
    """Return the lines to train on: of sets and of one of ORDINARY conversations, those of `seen`."""
    rows: list[
        tuple[str, str, bool, bool, float]
    ] = []  # text, class of the set, whether it belongs to it, left out, weight
    for one in sets:
        if one.half == SEEN and one.kind in (*KINDS.values(), "age", "data", "insult"):
            weight = OWN_WEIGHT if one.name == OWN else 1.0
            for line in one.lines:
                aside = digest(one.name, line.group or template_of(line.text)) % KEPT_ASIDE == 0
                rows.append((folded(line.text), one.kind, line.positive, aside, weight))
    for chat in chats:
        if chat.half == SEEN and is_trained_on(chat):
            rows += [(folded(line), "", False, False, 1.0) for line in dict.fromkeys(chat.lines)]
    labels = {name: np.array([_label(name, row[1], row[2]) for row in rows], np.float32) for name in KINDS}
    return Sample(
        [row[0] for row in rows],
        [row[1] for row in rows],
        labels,
        np.array([row[4] for row in rows], np.float32),
        np.array([row[3] for row in rows]),
    )


def is_trained_on(chat: Conversation) -> bool:
    """Whether an ordinary conversation is a part of the sample; on others thresholds are set."""
    return digest(chat.set, chat.key, "train") % ORDINARY == 0


def _label(name: str, kind: str, positive: bool) -> float:
    if kind == KINDS[name]:
        return float(positive)
    return math.nan if positive and kind in UNSURE[name] else 0.0


def matrix(texts: Sequence[str]) -> Matrix:
    """Return the features of lines."""
    hashing = TextModel([ModelClass("threat", 0.0, 1.0, 0.0, 0.0)], bytes(BUCKETS))
    rows = [np.asarray(hashing.features(text), np.int64) for text in texts]
    rows = [row if len(row) else np.zeros(1, np.int64) for row in rows]
    begins = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=begins[1:])
    return Matrix(np.concatenate(rows), begins)


def fit(lines: Matrix, labels: Floats, counts: Floats) -> tuple[Floats, float]:
    """Return weights and bias of a logistic regression; `counts`: the weight of each line."""
    weights, bias = np.zeros(BUCKETS, np.float32), -2.0
    squares, bias_squares = np.full(BUCKETS, FIRST_SQUARE, np.float32), FIRST_SQUARE
    shuffle = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        rate = RATE * (1 - epoch / EPOCHS)
        order = shuffle.permutation(len(labels))
        for begin in range(0, len(order), BATCH):
            rows = order[begin : begin + BATCH]
            buckets, places, factors = lines.some(rows)
            sums = np.bincount(places, weights[buckets], len(rows)) * factors + bias
            errors = counts[rows] * (1 / (1 + np.exp(-sums)) - labels[rows]) / len(rows)
            slope = (np.bincount(buckets, (errors * factors)[places], BUCKETS) + DECAY * weights).astype(np.float32)
            squares += slope * slope
            weights -= rate * slope / np.sqrt(squares)
            bias_squares += float(errors.sum()) ** 2
            bias -= rate * float(errors.sum()) / math.sqrt(bias_squares)
    return weights, bias


def packed(
    trained: dict[str, tuple[Floats, float]], limits: dict[str, tuple[float, float]]
) -> tuple[list[ModelClass], bytes]:
    """Return the classes and the weights in int8, a row a bucket."""
    classes, columns = [], []
    for name, (weights, bias) in trained.items():
        scale = float(np.abs(weights).max()) / 127 or 1.0
        columns.append(np.rint(weights / scale).astype(np.int8))
        low, high = limits.get(name, (0.0, 0.0))
        classes.append(ModelClass(name, round(bias, 4), round(scale, 6), round(low, 3), round(high, 3)))
    return classes, np.stack(columns, axis=1).tobytes()


def train(some: Sample, chosen: NDArray[np.bool_]) -> dict[str, tuple[Floats, float]]:
    """Return weights and bias by class, from the chosen lines."""
    trained = {}
    for name, labels in some.labels.items():
        places = np.flatnonzero(chosen & ~np.isnan(labels))
        lines = matrix([some.texts[place] for place in places])
        trained[name] = fit(lines, labels[places], some.weights[places])
    return trained


def loudest(model: TextModel, chats: Sequence[Conversation], *, high: bool) -> NDArray[Any]:
    """Return for each conversation the largest logit of each class. `high`: of lines that may be of high confidence."""
    rows = []
    for chat in chats:
        texts = [folded(line) for line in chat.lines]
        scores = [model.scores(text) for text in texts if not high or model.has_evidence(text)]
        rows.append(np.max([[-NEVER] * len(KINDS), *scores], axis=0))
    return np.array(rows)


def thresholds(
    model: TextModel, last: TextModel, some: Sample, chats: Sequence[Conversation]
) -> dict[str, tuple[float, float]]:
    """Return for each class the least logits that keep PRECISION and WRONG on the lines left out, and ALARMS on the conversations not trained on.

    `model`: of the first training; `last`: of the one with all lines, whose weights are used. High confidence keeps ALARMS in both.
    """
    asked = [chat for chat in chats if chat.half == SEEN and not is_trained_on(chat)]
    worst = {
        "low": loudest(model, asked, high=False),
        "high": np.maximum(loudest(model, asked, high=False), loudest(last, asked, high=True)),
    }
    places = np.flatnonzero(some.aside)
    scores = np.array([model.scores(some.texts[place]) for place in places])
    found = {}
    for column, name in enumerate(some.labels):
        labels = some.labels[name][places]
        ordinary = (labels == 0) & np.array([some.kinds[place] == KINDS[name] for place in places])
        wrong = np.sort(scores[ordinary, column])[::-1]
        limits = [
            max(
                quietest(np.sort(worst[confidence][:, column])[::-1], ALARMS[confidence] / 1000),
                quietest(wrong, WRONG_OF.get(name, WRONG[confidence])),
                most_precise(scores[:, column], labels, some.weights[places], PRECISION[confidence]),
            )
            for confidence in ("low", "high")
        ]
        high = max(limits)
        found[name] = (limits[0], NEVER if name in HINTS else high)
    return found


def quietest(falling: NDArray[Any], share: float) -> float:
    """Return the logit above which this share is, at most. `falling`: the logits; none: no limit."""
    return float(falling[int(share * len(falling))]) + 0.01 if len(falling) else -NEVER


def most_precise(scores: NDArray[Any], labels: Floats, counts: Floats, precision: float) -> float:
    """Return the least logit from which on the precision is reached."""
    there = ~np.isnan(labels)
    order = np.argsort(-scores[there], kind="stable")
    right = np.cumsum((labels[there] * counts[there])[order])
    share = right / np.cumsum(counts[there][order])
    enough = np.flatnonzero(share >= precision)
    return float(scores[there][order][enough[-1]]) if len(enough) else NEVER


def make(sets: Sequence[LabelledSet], chats: Sequence[Conversation]) -> tuple[list[ModelClass], bytes, dict[str, Any]]:
    """Return the classes, the weights and the description of a model."""
    some = sample(sets, chats)
    first = TextModel(*packed(train(some, ~some.aside), {}))
    trained = train(some, np.ones(len(some.texts), np.bool_))
    limits = thresholds(first, TextModel(*packed(trained, {})), some, chats)
    classes, weights = packed(trained, limits)
    used = sorted({(one.name, one.kind, one.language) for one in sets if one.half == SEEN})
    positive = {name: int(np.nansum(labels)) for name, labels in some.labels.items()}
    return classes, weights, {"lines": len(some.texts), "positive": positive, "sets": [" ".join(row) for row in used]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--file", type=Path, default=FILE, help="written; default: the model of this program")


def main(chosen: argparse.Namespace) -> int:
    """Train, and write the model; return 1 if a set is missing."""
    folder = sets_folder()
    if missing := missing_files(pinned_files(), folder):
        print(
            f"missing in {folder}: {', '.join(file.name for file in missing)}; python -m bench detection --fetch",
            file=sys.stderr,
        )
        return 1
    classes, weights, about = make(labelled_sets(folder), list(conversations()))
    write_model(chosen.file, about, classes, weights)
    print(f"{chosen.file}: {chosen.file.stat().st_size:,} bytes, {about['lines']:,} lines", *classes, sep="\n")
    return 0
