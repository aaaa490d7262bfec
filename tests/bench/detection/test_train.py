"""Check the training of the text model: the same lines make the same bytes, a class is learned, and no line of `held` is read."""

from pathlib import Path

import pytest

from bench.detection import train as module
from bench.detection.conversations import Conversation
from bench.detection.labelled_lines import HELD, SEEN, LabelledSet, Line
from server.trust.screening.text_model import read_model, write_model

WORDS = ("glorp", "wib", "nark", "tovel", "quim", "zasp", "lorn", "hest", "mifty", "brul")


def lines(kind: str, half: str) -> LabelledSet:
    """A set of which the class's lines have a word of their own."""
    rows = [Line(f"i will {kind} you {one} {two}", True) for one in WORDS for two in WORDS]
    rows += [Line(f"do you like {one} and {two}", False) for one in WORDS for two in WORDS]
    return LabelledSet("own", kind, "en", half, rows)


CHATS = [Conversation("chat", str(number), "en", SEEN, ["hello there", "how are you"]) for number in range(40)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUCKETS", 1 << 10)
    monkeypatch.setattr(module, "EPOCHS", 4)


def test_the_same_lines_make_the_same_bytes_and_a_class_is_learned(tmp_path: Path) -> None:
    sets = [lines(kind, SEEN) for kind in ("threat", "selfharm")]
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        classes, weights, about = module.make(sets, CHATS)
        write_model(path, about, classes, weights)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    made = read_model(paths[0])
    place = [one.name for one in made.classes].index("threat")
    assert (
        made.scores("i will threat you lots")[place]
        > made.classes[place].low
        > made.scores("do you like cheese")[place]
    )
    assert all(one.high >= one.low for one in made.classes)


def test_held_lines_change_nothing() -> None:
    sets = [lines(kind, SEEN) for kind in ("threat", "selfharm")]
    held = [lines("hate", HELD), LabelledSet("own", "threat", "en", HELD, [Line("do you like wib", True)] * 500)]
    chat = Conversation("chat", "held", "en", HELD, ["i will threat you"])
    assert module.make([*sets, *held], [*CHATS, chat])[:2] == module.make(sets, CHATS)[:2]


def test_a_line_says_nothing_about_a_class_that_it_may_belong_to_too() -> None:
    some = module.sample([lines("hate", SEEN)], [])
    assert set(some.labels["hate"].tolist()) == {0.0, 1.0}
    assert str(some.labels["threat"][0]) == "nan"
    assert some.labels["money"].sum() == 0


def test_thresholds_keep_the_precision_and_the_alarms() -> None:
    import numpy as np

    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    labels = np.array([1, 1, 0, 1, np.nan], np.float32)
    counts = np.ones(5, np.float32)
    assert module.most_precise(scores, labels, counts, 0.9) == 4.0
    assert module.most_precise(scores, labels, counts, 0.7) == 2.0
    assert module.most_precise(scores, 0 * labels, counts, 0.9) == module.NEVER
    falling = np.arange(10_000, 0, -1.0)
    assert sum(falling > module.quietest(falling, 0.0004)) <= 4
