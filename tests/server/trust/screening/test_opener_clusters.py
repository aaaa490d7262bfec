"""Openers: an advert is found while it spreads, whatever is changed in it; people who like one opener are no advert; all of it is bounded."""

import random
from collections.abc import Iterable

import pytest

from engine.conduct.detection_consequences import LINKED
from server.trust.screening import opener_clusters as module
from server.trust.screening.opener_clusters import FIRST, KEPT, OPENERS, WINDOW, Openers
from server.trust.screening.screening_rules import Rules, read_rules
from tests.server.trust.screening.spam import TEMPLATES, said_by_people, variants

KEY = bytes(range(16))
REPEAT = 12
LINE = "hey im so bored tonight wanna see my private pics"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules(None)


def spread(openers: Openers, rules: Rules, lines: Iterable[str], apart: float = 5.0) -> dict[str, int]:
    """In the how-manieth chat each rule was found first, where each line begins one."""
    found: dict[str, int] = {}
    for at, line in enumerate(lines, 1):
        detections, beginning = rules.find_and_fold(line)
        linked = any(one.kind.name in LINKED for one in detections)
        for rule in openers.add_line(at, 0, beginning, linked, at * apart):
            found.setdefault(rule, at)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("template", TEMPLATES)
def test_an_advert_is_found_by_its_twelfth_chat_whatever_is_changed_in_it(
    rules: Rules, template: str, seed: int
) -> None:
    lines = variants(template, 40, random.Random(seed))
    found = spread(Openers(REPEAT, bytes([seed]) * 16), rules, lines)
    assert found["opener"] <= 12
    assert found["repeat"] <= 20


def test_a_favourite_opener_is_never_taken_for_an_advert_however_often(rules: Rules) -> None:
    line = "hey, do you think that a hot dog is a sandwich or not?"
    found = spread(Openers(REPEAT, KEY), rules, [line] * 200)
    assert found == {"opener": OPENERS}


@pytest.mark.timeout(60)
def test_lines_of_thousands_of_people_are_no_advert(rules: Rules) -> None:
    lines = said_by_people(4_000, random.Random(1))
    assert "repeat" not in spread(Openers(REPEAT, KEY), rules, lines, 0.1)


def test_what_is_said_slowly_is_no_opener_of_many() -> None:
    openers = Openers(REPEAT, KEY)
    for at in range(50):
        assert openers.add_line(at, 0, LINE, True, at * (WINDOW / (OPENERS - 1) + 1)) == ()


def test_each_side_is_told_of_once_and_a_link_in_a_later_line_counts_too() -> None:
    openers = Openers(REPEAT, KEY)
    told = [openers.add_line(chat, 1, LINE, False, 0.0) for chat in range(REPEAT)]
    assert told == [()] * (OPENERS - 1) + [("opener",)] * (REPEAT - OPENERS + 1)
    links = [openers.add_line(chat, 1, "snap", True, 1.0) for chat in range(REPEAT)]
    assert links == [("opener",)] * (OPENERS - 1) + [()] * (REPEAT - OPENERS) + [("repeat",)]
    assert openers.add_line(REPEAT - 1, 1, LINE, True, 2.0) == ()


def test_only_the_first_lines_of_some_length_are_looked_for() -> None:
    openers = Openers(REPEAT, KEY)
    for chat in range(2 * OPENERS):
        for _ in range(FIRST):
            assert openers.add_line(chat, 0, "hi how are you", False, 0.0) == ()
        assert openers.add_line(chat, 0, LINE, False, 0.0) == ()
    assert len(openers.table) == 0


def test_a_person_who_says_the_same_thing_again_in_one_chat_is_one() -> None:
    openers = Openers(REPEAT, KEY)
    for chat in range(OPENERS - 1):
        for _ in range(FIRST):
            assert openers.add_line(chat, 0, LINE, True, 0.0) == ()


def test_two_clusters_are_one_as_soon_as_a_line_is_like_both() -> None:
    openers = Openers(REPEAT, KEY)
    one, other = "abcdefghijklmnopqrstuvwxyz" * 2, "zyxwvutsrqponmlkjihgfedcba" * 2
    for chat in range(4):
        openers.add_line(chat, 0, one, False, 0.0)
        openers.add_line(chat, 1, other, False, 0.0)
    openers.add_line(9, 0, one, False, 0.0)
    assert openers.add_line(9, 0, other, False, 0.0) == ("opener",)


@pytest.mark.timeout(60)
def test_whatever_is_said_by_however_many_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIDES", 50)
    monkeypatch.setattr(module, "CLUSTERED", 60)
    openers, dice = Openers(REPEAT, KEY), random.Random(2)
    lines = [variant for template in TEMPLATES for variant in variants(template, 100, dice)]
    dice.shuffle(lines)
    for at, line in enumerate(lines):
        openers.add_line(at, at & 1, line, True, float(at))
    assert len(openers._sides) == 50
    assert len(openers._clusters) == 60
    clusters = {id(module._whole(cluster)): module._whole(cluster) for cluster in openers._clusters.values()}
    assert max(len(cluster.sides) for cluster in clusters.values()) <= 2 * REPEAT


def test_where_nobody_said_anything_for_an_hour_nothing_is_remembered() -> None:
    openers = Openers(REPEAT, KEY)
    for chat in range(3):
        openers.add_line(chat, 0, LINE, True, 1.0)
    openers.sweep(1.0 + KEPT)
    assert len(openers.table) == 3
    openers.sweep(1.1 + KEPT)
    assert len(openers.table) == len(openers.writers) == len(openers._sides) == len(openers._clusters) == 0
