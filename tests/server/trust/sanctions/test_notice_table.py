"""Test the table of notices: owners, reading once, listeners."""

from pathlib import Path

import pytest

from server.data.keys.pseudonyms import open_pseudonyms
from server.ops.security.secret_keys import load
from server.ops.security.url_token_generator import encode
from server.trust.sanctions.notice_table import Notice, NoticeTable

NOW = 1_000_000


def made(number: int) -> Notice:
    """One by its number."""
    return Notice(bytes([number]) * 16, "warning", "R4", NOW + number, "person", b"c" * 16)


@pytest.fixture
def table(tmp_path: Path) -> NoticeTable:
    """An empty one."""
    return NoticeTable(open_pseudonyms(load(tmp_path), tmp_path), lambda: NOW)


def test_each_is_read_once_by_whose_it_is(table: NoticeTable) -> None:
    told: list[bytes] = []
    table.subscribe(told.append)
    assert table.put(77, made(1))
    assert table.put(77, made(2))
    assert not table.put(77, made(1))
    id, frame = table.unread(0, 77) or ("", b"")
    assert id == encode(made(1).id)
    assert b"R4" in frame
    assert table.find(made(2).id) == (77, made(2))
    assert table.ids() == [made(1).id, made(2).id]
    assert not table.seen(0, 78, id)
    assert not table.seen(0, 77, "?")
    assert table.seen(0, 77, id)
    assert table.seen(0, 77, id)
    assert (table.unread(0, 77) or ("",))[0] == encode(made(2).id)
    assert told == [made(1).id, made(2).id, made(1).id]
    assert not table.put(77, made(1)), "it was read"


def test_what_was_read_here_is_named_where_all_of_it_comes_anew(table: NoticeTable) -> None:
    table.put(77, made(1))
    table.put(78, made(2))
    table.seen(0, 77, encode(made(1).id))
    assert table.replace([(77, made(1)), (79, made(3))]) == [(made(1).id, 77)]
    assert table.known
    assert table.ids() == [made(3).id]
    assert table.unread(0, 78) is None


def test_one_that_is_nobodys_costs_no_keyed_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked = open_pseudonyms(load(tmp_path), tmp_path), list[int]()
    table = NoticeTable(known, lambda: NOW)
    table.put(b"five", made(1))
    monkeypatch.setattr(known, "safety_identity", lambda identity: asked.append(identity) or b"five")
    assert not table.seen(5, 77, encode(made(2).id))
    assert not table.seen(5, 77, "?")
    assert asked == []
    assert table.seen(5, 77, encode(made(1).id))
    assert asked == [5]
