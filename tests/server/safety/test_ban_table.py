"""Bans as they are held: found by identity and by network, told when they change, replaced whole."""

from pathlib import Path

import orjson
import pytest

from server.safety.ban_table import HELD, Ban, BanTable
from server.security.keys import load
from server.store.kept import pseudonyms
from server.store.pseudonyms import Pseudonyms

NOW = 1_000_000
ONE = Ban(False, NOW + 60, "R5", b"c" * 16, NOW, True)


@pytest.fixture
def known(tmp_path: Path) -> Pseudonyms:
    """Keys of a deployment."""
    return pseudonyms(load(tmp_path), tmp_path)


def test_a_ban_is_found_by_its_identity_or_its_network_while_it_lasts(known: Pseudonyms) -> None:
    now = [NOW]
    table = BanTable(known, lambda: now[0])
    assert table.find(7, "192.0.2.1") is None
    table.put(known.safety_identity(7), ONE.packed())
    table.put(known.safety_network("192.0.2.1"), ONE._replace(network=True).packed())
    assert table.find(7, "") == ONE
    assert (found := table.find(0, "192.0.2.1")) is not None
    assert found.network
    assert table.find(8, "a socket") is None
    assert orjson.loads(table.frame(ONE))["code"] == "banned"
    now[0] += 60
    assert table.find(7, "192.0.2.1") is None
    assert len(table) == 2


def test_who_comes_is_refused_counted_and_a_minor_by_a_persons_decision_is_told_of(known: Pseudonyms) -> None:
    table, told = BanTable(known, lambda: NOW), list[int]()
    table.minor = told.append
    assert table.refusal(7, "192.0.2.1") is None
    table.put(known.safety_identity(7), ONE.packed())
    assert table.refusal(7, "192.0.2.1") == table.frame(ONE)
    assert table.refusal(8, "192.0.2.1") is None
    table.put(known.safety_identity(8), ONE._replace(age=True).packed())
    table.put(known.safety_identity(9), ONE._replace(age=True, machine=False).packed())
    assert told == []
    assert all(table.refusal(identity, "") for identity in (8, 9))
    assert told == [9], "a program decided of the other"
    assert table.turned_away == 3
    table.drop(known.safety_identity(7))
    assert table.refusal(7, "192.0.2.1") is None


def test_what_changes_is_told_and_what_is_replaced_is_all(known: Pseudonyms) -> None:
    table, told = BanTable(known, lambda: NOW), []
    table.changed = told.append
    mac, other = known.safety_identity(7), known.safety_identity(8)
    table.put(mac, ONE.packed())
    table.drop(mac)
    table.drop(mac)
    assert told == [mac, mac]
    assert not table.known
    table.replace([(other, ONE.packed())])
    assert table.known
    assert table.values() == [other]
    assert len(table.packed(other) or b"") == HELD
    assert Ban.of(table.packed(other) or b"") == ONE
    assert table.packed(mac) is None
