"""The rows of a chat: what is keyed is kept for each person, what names one connection is not."""

from pathlib import Path
from typing import Any

import pytest

from server.data.keys.epoch_keys import EPOCH
from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.data.records.address_country import Countries
from server.data.records.chat_rows import PAIR, Batch, EndedChat, Party, Records
from server.ops.security import secret_keys
from tests.server.data.conftest import NOW

SIDE = PAIR.width // 2  # values of one party: chat, end, identity, address, its MAC, country


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return open_pseudonyms(secret_keys.load(tmp_path), tmp_path)


@pytest.fixture
def records(pseudonyms: Pseudonyms) -> Records:
    return Records(pseudonyms, Countries())


def parties(records: Records, *chats: EndedChat) -> list[list[Any]]:
    """The values of each party, in order."""
    batch = Batch()
    records.add(batch, chats)
    return [batch.pairs[at : at + SIDE] for at in range(0, len(batch.pairs), SIDE)]


def chat(at: float, one: Party, two: Party) -> EndedChat:
    return EndedChat("text", "left", at - 60, at, (one, two))


@pytest.mark.parametrize("identity", [11, 0])
def test_another_connection_is_sealed_with_its_port_and_keyed_alike(
    pseudonyms: Pseudonyms, records: Records, identity: int
) -> None:
    one, again = (Party(0, identity, f"81.2.69.160 {port}") for port in (5001, 5002))
    other = Party(1, 12, "81.2.69.161 6001")
    first, _, second, _ = parties(records, chat(NOW, one, other), chat(NOW + 1, again, other))
    assert first[2] is second[2]  # the identity's MAC, or none
    assert first[4] is second[4]  # the address's, for which no HMAC was made anew
    assert first[5] == second[5]
    sealed = [pseudonyms.live_address(bytes(party[3])) for party in (first, second)]
    assert [(place.address, place.port) for place in sealed] == [("81.2.69.160", 5001), ("81.2.69.160", 5002)]


def test_an_address_in_another_spelling_is_sealed_and_keyed_in_its_usual_one(
    pseudonyms: Pseudonyms, records: Records
) -> None:
    chats = [
        chat(NOW + n, Party(0, 11, f"{place} {5001 + n}"), Party(1, 12, "81.2.69.161 6001"))
        for n, place in enumerate(("::ffff:81.2.69.160", "::ffff:81.2.69.160", "81.2.69.160"))
    ]
    rows = parties(records, *chats)[::2]
    assert [pseudonyms.live_address(bytes(row[3])).text for row in rows] == [
        f"81.2.69.160 {port}" for port in (5001, 5002, 5003)
    ]
    assert len({bytes(row[4]) for row in rows}) == 1


def test_a_person_at_the_address_of_another_keeps_their_own_identity(pseudonyms: Pseudonyms, records: Records) -> None:
    one, two = Party(0, 11, "81.2.69.160 5001"), Party(1, 12, "81.2.69.160 5002")
    moved = Party(0, 11, "81.2.69.161 5003")
    first, second, third, _ = parties(records, chat(NOW, one, two), chat(NOW + 1, moved, two))
    assert first[2] in pseudonyms.live_identities(11)
    assert second[2] in pseudonyms.live_identities(12)
    assert third[2] == first[2]
    assert third[4] in pseudonyms.live_addresses("81.2.69.161")


def test_the_values_of_an_epoch_are_not_taken_into_the_next(records: Records) -> None:
    one, again = (Party(0, 11, f"81.2.69.160 {port}") for port in (5001, 5002))
    other = Party(1, 12, "81.2.69.161 6001")
    first, _, second, _ = parties(records, chat(NOW, one, other), chat(NOW + EPOCH, again, other))
    assert first[2] != second[2]
    assert first[4] != second[4]


def test_what_was_derived_is_forgotten_with_an_epoch(records: Records) -> None:
    one, again = (Party(0, 11, f"81.2.69.160 {port}") for port in (5001, 5002))
    other = Party(1, 12, "81.2.69.161 6001")
    first, _ = parties(records, chat(NOW, one, other))
    records.forget()
    second, _ = parties(records, chat(NOW + 1, again, other))
    assert first[2] == second[2]
    assert first[4] is not second[4]
