"""Test the matcher's descriptions of tickets, buckets and lists, and its number of live tickets."""

import re

import pytest

from ext.match.errors import MatcherError, UnknownTicket
from ext.match.matcher import Matcher, alive
from tests.support import ledger


def waiting(matcher: Matcher, client: int, *ids: int, pool: int = 0) -> int:
    """The handle of a ticket that looked for nobody."""
    handle = matcher.submit(client, pool, ids, 1, 2.5, look=False)
    assert isinstance(handle, int)
    return handle


def opened() -> Matcher:
    matcher = Matcher(1000)
    for _ in range(2):
        matcher.pool()
    return matcher


def test_its_line_says_how_many_wait_in_what() -> None:
    matcher = opened()
    waiting(matcher, 1, 5, 6)
    assert repr(matcher) == f"<Matcher: 1 of 1,000 tickets, 2 pools, 4 interests, {matcher.variant}>"


def test_a_ticket_is_shown_with_where_its_interests_are_found() -> None:
    matcher = opened()
    handle = waiting(matcher, 77, 5, *range(100, 112), pool=1)
    waiting(matcher, 78, 5, pool=1)
    lines = matcher.dump("ticket", handle).splitlines()
    assert lines[0] == f"ticket in slot {handle & 0xFFFFFFFF} serial {handle >> 32} generation 0, waits, in the lists"
    assert lines[1].startswith("  client 77 pool 1 level 1 since 2.5 floor 0 weight 13 signature ")
    assert len(lines) == 2 + 13
    assert re.fullmatch(r"  interest 5 in bucket \d+, hash \w+ list \d+, interest 5 of pool 1, 2 postings", lines[2])
    assert re.fullmatch(
        r"  interest 100 in bucket \d+, hash \w+ alone, slot 0 generation 0: client 77 of pool 1", lines[3]
    )


def test_a_bucket_and_a_list_are_shown_with_what_is_in_them() -> None:
    matcher = opened()
    handles = [waiting(matcher, client, 5) for client in range(40)]
    shown = re.search(r"bucket (\d+), hash (\w+) list (\d+)", matcher.dump("ticket", handles[0]))
    assert shown is not None
    bucket, hash_, number = shown.groups()
    lines = matcher.dump("bucket", int(bucket)).splitlines()
    assert re.fullmatch(rf"bucket {bucket} of \d+: 1 of 7 entries, chained 0000", lines[0])
    assert lines[1] == f"  hash {hash_} list {number}, interest 5 of pool 0, 40 postings"
    lines = matcher.dump("list", int(number)).splitlines()
    assert lines[0].startswith(f"list {number}: interest 5 of pool 0, hash {hash_}, bit 0, named ")
    assert lines[1].startswith("  40 postings in class ")
    assert len(lines) == 2 + 32
    assert lines[2].endswith("slot 0 generation 0: client 0 of pool 0")


def test_buckets_that_overflow_show_their_chain() -> None:
    matcher = opened()
    for client in range(900):
        waiting(matcher, client, *range(10 * client, 10 * client + 10))
    count = int(re.findall(r" of (\d+):", matcher.dump("bucket", 1))[0])
    text = "".join(matcher.dump("bucket", number) for number in range(1, count + 1))
    assert text.count(" alone, ") + text.count(" list ") == 9000
    assert "  chain: hash " in text


@pytest.mark.parametrize(
    ("what", "number"), [("bucket", 0), ("bucket", 1 << 40), ("list", 0), ("list", 9), ("pool", 0)]
)
def test_what_is_not_there_cannot_be_shown(what: str, number: int) -> None:
    with pytest.raises(MatcherError):
        opened().dump(what, number)


def test_a_ticket_that_waits_no_more_cannot_be_shown() -> None:
    matcher = opened()
    handle = waiting(matcher, 1, 5)
    assert matcher.remove(handle)
    with pytest.raises(UnknownTicket):
        matcher.dump("ticket", handle)


def test_a_ticket_that_nobody_takes_out_is_counted_until_its_matcher_goes() -> None:
    before = ledger.alive()
    one, other = opened(), opened()
    kept = waiting(one, 1, 5)
    assert other.remove(waiting(other, 2, 6))
    assert alive()["tickets"] == before["tickets"] + 1
    assert ledger.left_since(before) == {"tickets": 1}
    assert one.remove(kept)
    assert ledger.left_since(before) == {}
    waiting(other, 3, 7)
    del other
    assert ledger.left_since(before) == {}
