"""Digests tell two people apart for a day, and lead nobody back."""

import re

from server.omegle.digests import Digests


def test_a_person_is_the_same_for_one_process_and_another_for_the_next() -> None:
    one = Digests()
    assert one.person("ABCDEFGH") == one.person("ABCDEFGH") != one.person("ABCDEFGI")
    assert one.person("ABCDEFGH") != Digests().person("ABCDEFGH")
    assert 0 < one.person("\ud800") < 2**63
    assert one.person("") == 0


def test_two_digests_of_the_person_and_the_session_change_by_the_day() -> None:
    digests = Digests()
    first, second = digests.of(5, 7, 100).split(",")
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in (first, second))
    assert digests.of(6, 7, 100).split(",")[0] == first
    assert digests.of(6, 7, 100).split(",")[1] != second
    assert digests.of(5, 7, 101).split(",")[0] != first


def test_without_a_randid_the_session_is_the_person() -> None:
    digests = Digests()
    assert digests.of(5, 0, 100).split(",")[0] != digests.of(6, 0, 100).split(",")[0]
