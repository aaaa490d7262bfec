"""Test what is signed of the ledger, and what a reader makes of a place that does not fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup.backup_place import Place, open_place
from server.data.backup.backup_signature import SigningKeys, accept_any
from server.data.backup.ledger_signature import (
    HEAD,
    Distrusted,
    LedgerWriter,
    Signed,
    day_of_entry,
    digest_of,
    is_entry,
    read_ledger,
    read_signed,
    signed_at,
)
from server.ops.config.backup_settings import Backup

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(60)]  # reads files

KEYS = SigningKeys({"service": b"a" * 32})
OLD, NEW = f"erasures/20000/{'ab' * 32}", "upkeep/index"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder."""
    return open_place(Backup(), str(tmp_path))


def signed(place: Place, **bodies: bytes) -> dict[str, str]:
    """Put entries, and return their digests."""
    names = {"old": OLD, "new": NEW}
    for name, body in bodies.items():
        place.put(f"ledger/{names[name]}", body)
    return {names[name]: digest_of(body) for name, body in bodies.items()}


def read(place: Place, *, damaged: bool = False) -> tuple[list[str], list[str], dict[str, bytes]]:
    """Return what is wrong, what is skipped, and the entries."""
    found: dict[str, bytes] = {}
    told = read_ledger(place, KEYS.check, 0, found.__setitem__, damaged=damaged)
    assert told.entries == len(found)
    return told.wrong, told.skipped, found


def test_names_of_entries_are_those_that_the_service_writes() -> None:
    assert [day_of_entry(name) for name in (OLD, NEW, "erasures/1/aa", "upkeep/ban/" + "ab" * 16)] == [
        20000,
        None,
        1,
        None,
    ]
    for name in (
        "erasures/1/a",
        "erasures/1/zz",
        "erasures/x/aa",
        "erasures/1/aa/b",
        "upkeep/../index",
        "signed/head",
        "",
    ):
        assert not is_entry(name), name


def test_what_was_announced_may_be_there_or_not_yet(place: Place) -> None:
    before = signed(place, old=b"one")
    LedgerWriter(place, KEYS.sign, Signed(), 1).finish(before)
    last = read_signed(place, KEYS.check)
    assert last is not None
    coming = before | {OLD: digest_of(b"two"), NEW: digest_of(b"index")}
    LedgerWriter(place, KEYS.sign, last, 2).announce(coming)
    assert read(place) == ([], [], {OLD: b"one"})
    signed(place, old=b"two", new=b"index")
    assert read(place) == ([], [], {OLD: b"two", NEW: b"index"})
    assert list(read(place)[2]) == [OLD, NEW], "the index comes last"
    LedgerWriter(place, KEYS.sign, last, 2).finish(coming)
    signed(place, old=b"one")
    assert read(place) == ([f"1 entry is not what was written ({OLD})"], [], {NEW: b"index"})
    assert read(place, damaged=True)[2] == {OLD: b"one", NEW: b"index"}
    assert len(place.names("ledger/signed")) == 3, "no list of before is left"


def test_a_head_or_a_list_that_does_not_fit_its_signature_is_refused(place: Place) -> None:
    assert read_signed(place, KEYS.check) is None
    assert read(place) == ([], [], {})
    LedgerWriter(place, KEYS.sign, Signed(), 7).finish(signed(place, old=b"one"))
    head = place.get(HEAD)
    assert head is not None
    assert signed_at(place, KEYS.check) == 7
    (name,) = place.names("ledger/signed") - {HEAD}
    place.put(name, b"erasures/20000/aa 00\n")
    with pytest.raises(Distrusted, match="list of its entries of 20000"):
        read_signed(place, KEYS.check)
    for body in (b"", b"[]", b"{}", b'{"head": 5, "signatures": {}}', head.replace(b":7", b":8"), bytes(5 << 20)):
        place.put(HEAD, body)
        with pytest.raises(Distrusted):
            read_signed(place, KEYS.check)
        assert signed_at(place, KEYS.check) == 0
    place.put(HEAD, b'{"head": "[]", "signatures": {}}')
    with pytest.raises(Distrusted, match="cannot be read"):
        read_signed(place, accept_any)
    place.delete(HEAD)
    assert read(place)[0] == ["it is not signed; an earlier program wrote it"]
