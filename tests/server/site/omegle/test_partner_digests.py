"""Digests tell two people apart for a day, and lead nobody back."""

import re

from server.site.omegle.partner_digests import PartnerDigests


def test_a_person_is_the_same_for_one_process_and_another_for_the_next() -> None:
    one = PartnerDigests()
    assert one.person("ABCDEFGH") == one.person("ABCDEFGH") != one.person("ABCDEFGI")
    assert one.person("ABCDEFGH") != PartnerDigests().person("ABCDEFGH")
    assert 0 < one.person("\ud800") < 2**63
    assert one.person("") == 0


def test_two_digests_of_the_person_and_the_session_change_by_the_day() -> None:
    digests = PartnerDigests()
    first, second = digests.of(5, 7, 100).split(",")
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in (first, second))
    assert digests.of(6, 7, 100).split(",")[0] == first
    assert digests.of(6, 7, 100).split(",")[1] != second
    assert digests.of(5, 7, 101).split(",")[0] != first


def test_without_a_randid_the_session_is_the_person() -> None:
    digests = PartnerDigests()
    assert digests.of(5, 0, 100).split(",")[0] != digests.of(6, 0, 100).split(",")[0]


def test_a_browser_is_the_same_person_at_all_hosts_whatever_another_process_had() -> None:
    here, there = PartnerDigests(bytes(32)), PartnerDigests(bytes(32))
    here.unpack(PartnerDigests().pack())
    assert here.person("ABCDEFGH") == there.person("ABCDEFGH") != PartnerDigests(bytes(31) + b"x").person("ABCDEFGH")
    assert here.of(5, 7, 100) == there.of(5, 7, 100)
    assert here.pack()[0] != here.pack()[1]
    alone, next = PartnerDigests(), PartnerDigests()
    next.unpack(alone.pack())
    assert alone.person("ABCDEFGH") == next.person("ABCDEFGH")
