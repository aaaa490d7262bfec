"""Test the table of bans: look-up by identity and network, listeners, replacement."""

from pathlib import Path

import orjson
import pytest

from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.ops.config.moderation_policy import NETWORK_SENTENCE, NEUTRAL
from server.ops.security.secret_keys import load
from server.trust.sanctions.ban_table import HELD, Ban, BanTable

NOW = 1_000_000
ONE = Ban(False, NOW + 60, "R5", b"c" * 16, NOW, True)


@pytest.fixture
def known(tmp_path: Path) -> Pseudonyms:
    """Keys of a deployment."""
    return open_pseudonyms(load(tmp_path), tmp_path)


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
    assert table.last_ban(7) == ONE.since, "it is over, and older tokens of pairs stay invalid"
    assert table.last_ban(8) == table.last_ban(0) == 0


def test_who_comes_is_refused_counted_and_a_minor_by_a_persons_decision_is_told_of(known: Pseudonyms) -> None:
    told = list[int]()
    table = BanTable(known, lambda: NOW, on_minor=told.append)
    assert table.refusal(7, "192.0.2.1") is None
    table.put(known.safety_identity(7), ONE.packed())
    assert table.refusal(7, "192.0.2.1") == (table.frame(ONE), ONE.case)
    assert table.refusal(8, "192.0.2.1") is None
    table.put(known.safety_identity(8), ONE._replace(age=True).packed())
    table.put(known.safety_identity(9), ONE._replace(age=True, machine=False).packed())
    assert told == []
    assert all(table.refusal(identity, "") for identity in (8, 9))
    assert told == [9], "a program decided of the other"
    assert table.turned_away == 3
    table.drop(known.safety_identity(7))
    assert table.refusal(7, "192.0.2.1") is None


def test_a_network_is_told_of_nobodys_decision_and_appeals_at_an_address_of_its_own(known: Pseudonyms) -> None:
    table = BanTable(known, lambda: NOW)
    own, network = (orjson.loads(table.frame(ONE._replace(network=meant))) for meant in (False, True))
    assert {"rule", "day", "by"} <= set(own)
    assert not {"rule", "day", "by", "measure"} & set(network)
    assert network["network"]
    assert network["reason"] == NETWORK_SENTENCE
    assert network["appeal"] != own["appeal"]


def test_a_neutral_pause_is_told_without_rule_day_and_author(known: Pseudonyms) -> None:
    table = BanTable(known, lambda: NOW)
    held = Ban.of(ONE._replace(rule=NEUTRAL).packed())
    assert held.rule == NEUTRAL
    told = orjson.loads(table.frame(held))
    assert not {"rule", "day", "by"} & set(told)
    assert told["appeal"] == orjson.loads(table.frame(ONE))["appeal"]


def test_a_ban_that_ends_before_its_time_was_taken_back_and_its_case_is_told(known: Pseudonyms) -> None:
    now, told = [NOW], list[bytes]()
    table = BanTable(known, lambda: now[0], on_lifted=told.append)
    macs = [known.safety_identity(number) for number in (7, 8, 9)]
    for number, mac in enumerate(macs):
        table.put(mac, ONE._replace(case=bytes([number]) * 16).packed())
    table.drop(macs[0])
    table.replace([(macs[2], ONE._replace(case=bytes([2]) * 16).packed())])  # the frontend was away meanwhile
    now[0] = ONE.until
    table.drop(macs[2])  # it ran out
    assert told == [bytes([0]) * 16, bytes([1]) * 16]


def test_what_changes_is_told_and_what_is_replaced_is_all(known: Pseudonyms) -> None:
    table, told = BanTable(known, lambda: NOW), []
    table.subscribe(told.append)
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
