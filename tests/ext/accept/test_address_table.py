"""Test the host's table of addresses with several maps of one memory, and deaths between any two steps."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from ext.accept.address_limits import WIDE4, Addresses, wide_of
from ext.accept.address_table import COLUMNS_MAX, AddressTable, make
from ext.reactor.debug_hooks import arrive, claim, counted, settle, slots, write

KEY = bytes(range(16))
HOME = "192.0.2.1"
NETWORK = wide_of(HOME)
SECOND = 1_000_000_000  # nanoseconds


class Host(NamedTuple):
    """A table and the descriptor behind it; `process` makes another that has it."""

    fd: int
    table: AddressTable

    def process(self, column: int, **chosen: float) -> Addresses:
        """The limits as one process judges them."""
        bounds = {"open_max": 3, "burst": 6.0, "rate": 2.0, "coming_max": 4, **chosen}
        return Addresses(host=AddressTable(self.fd, KEY), column=column, limits=True, **bounds)  # type: ignore[arg-type]


def host_of(columns: int = 3, slots: int = 1024) -> Host:
    fd = make(columns, slots)
    return Host(fd, AddressTable(fd, KEY))


@pytest.fixture
def host() -> Iterator[Host]:
    """Of three processes."""
    made = host_of()
    yield made
    os.close(made.fd)


def of(host: Host, key: str = HOME) -> tuple[int, int]:
    """Open connections and newcomers of an address in all processes."""
    found = counted(host.table, key)
    return found[:2] if found is not None else (0, 0)


def give_away(host: Host, slot: int, column: int) -> None:
    """A process claims the slot of another address, of which a count came at that moment: as it was when the process looked."""
    cells = slots(host.table)[slot][1]
    for place in range(len(cells)):
        write(host.table, slot, place, 0)
    assert claim(host.table, slot, column, 1 << 62)
    for place, cell in enumerate(cells):
        write(host.table, slot, place, cell)


def test_what_an_address_has_open_in_all_processes_counts_together(host: Host) -> None:
    one, two = host.process(0), host.process(1)
    assert [one.enter(HOME, 0.0), two.enter(HOME, 0.0), one.enter(HOME, 0.0)] == [True] * 3
    assert [one.enter(HOME, 0.0), two.enter(HOME, 0.0), host.process(2).enter(HOME, 0.0)] == [False] * 3
    assert two.wait(HOME, 0.0) == 0, "no time mends that"
    assert (of(host), of(host, NETWORK)) == ((3, 0), (3, 0))
    one.leave(HOME, 0.0)
    assert two.enter(HOME, 0.0)


def test_new_connections_in_all_processes_come_out_of_one_bucket(host: Host) -> None:
    people = [host.process(column, open_max=100) for column in range(3)]
    assert sum(people[turn % 3].enter(HOME, 0.0) for turn in range(30)) == 6
    assert [process.wait(HOME, 0.0) for process in people] == [1, 1, 1]
    assert sum(people[turn % 3].enter(HOME, 1.0) for turn in range(30)) == 2
    assert [process.wait(HOME, 100.0) for process in people] == [1, 1, 1], "what is said at least"


def test_a_slow_bucket_is_waited_for_as_long_as_it_takes_where_another_process_spent_it(host: Host) -> None:
    one, two = (host.process(column, burst=1.0, rate=0.1) for column in range(2))
    assert one.enter(HOME, 0.0)
    assert not two.enter(HOME, 2.0)
    assert two.wait(HOME, 2.0) == 8
    assert two.enter(HOME, 10.0)


def test_newcomers_in_all_processes_count_together(host: Host) -> None:
    one, two = host.process(0), host.process(1)
    assert [arrive(process, HOME, 0.0) for process in (one, two, one, two, one, two)] == [True] * 4 + [False] * 2
    settle(one, HOME, 0.0)
    assert arrive(two, HOME, 0.0)
    assert of(host) == (0, 4)


def test_a_network_has_its_share_over_all_processes(host: Host) -> None:
    people = [host.process(column, burst=100) for column in range(3)]
    entered = [key for turn in range(60) if people[turn % 3].enter(key := f"192.0.2.{turn // 2}", 0.0)]
    assert len(entered) == 3 * WIDE4
    assert of(host, NETWORK) == (3 * WIDE4, 0)
    assert of(host, "192.0.2.29") == (0, 0), "who is refused is counted nowhere"


def test_what_a_network_refuses_takes_no_token_of_an_address(host: Host) -> None:
    one, two = host.process(0, open_max=100, burst=1.0, rate=1.0), host.process(1, open_max=100, burst=1.0, rate=1.0)
    assert sum((one, two)[turn % 2].enter(f"192.0.2.{turn}", 0.0) for turn in range(WIDE4)) == WIDE4
    assert not two.enter("192.0.2.100", 0.0)
    found = counted(host.table, "192.0.2.100")
    assert found is None or found == (0, 0, 0)


def test_who_moves_is_no_new_connection_and_counts_where_they_are(host: Host) -> None:
    one, two = host.process(0), host.process(1)
    for _ in range(3):
        assert one.enter(HOME, 0.0)
    before = counted(host.table, HOME)
    one.leave(HOME, 0.0)
    assert two.moved(HOME, 0.0) == HOME
    assert counted(host.table, HOME) == before
    host.table.clear(0, 0.0)
    assert of(host) == (1, 0)


def test_who_moves_is_taken_although_somebody_got_their_place(host: Host) -> None:
    one, two = host.process(0), host.process(1)
    for _ in range(3):
        assert one.enter(HOME, 0.0)
    one.leave(HOME, 0.0)
    assert host.process(2).enter(HOME, 0.0)
    two.moved(HOME, 0.0)
    assert of(host) == (4, 0)
    assert not two.enter(HOME, 10.0)


def test_lifted_limits_count_all_and_refuse_nobody(host: Host) -> None:
    people = [
        Addresses(open_max=1, burst=1, rate=1, limits=False, host=AddressTable(host.fd, KEY), column=column)
        for column in range(2)
    ]
    assert all(process.enter(HOME, 0.0) and arrive(process, HOME, 0.0) for process in people for _ in range(50))
    assert of(host) == (100, 100)


def test_the_count_of_one_process_ends_where_a_cell_does_and_comes_back(host: Host) -> None:
    one = Addresses(open_max=1, burst=1, rate=1, limits=False, host=AddressTable(host.fd, KEY), column=0)
    for _ in range(70_000):
        one.enter(HOME, 0.0)
    assert of(host) == (0xFFFF, 0)
    for _ in range(69_990):
        one.leave(HOME, 0.0)
    assert of(host) == (10, 0)


def test_other_limits_hold_for_what_comes_and_what_was_spent_stays_spent(host: Host) -> None:
    one, two = host.process(0, open_max=100), host.process(1, open_max=100)
    assert sum(one.enter(HOME, 0.0) for _ in range(10)) == 6
    two.change(100, 8, 2)
    assert sum(two.enter(HOME, 0.0) for _ in range(10)) == 2
    two.change(100, 1, 1)
    assert not two.enter(HOME, 0.0)
    assert two.enter(HOME, 1.0), "no debt is more than the burst"
    two.change(1, 100, 100)
    assert not two.enter(HOME, 100.0)


def test_a_debt_is_paid_faster_with_a_faster_rate(host: Host) -> None:
    one, two = (host.process(column, open_max=100, burst=10.0, rate=0.01) for column in range(2))
    assert sum(one.enter(HOME, 0.0) for _ in range(20)) == 10
    two.change(100, 10, 10)
    assert not two.enter(HOME, 0.0), "what is owed is no more than the burst from here on"
    assert not two.enter(HOME, 1.0), "and by the network around it"
    assert sum(two.enter(HOME, 2.0) for _ in range(20)) == 10


def test_who_dies_leaves_what_others_count(host: Host) -> None:
    one, two = host.process(0, open_max=100), host.process(1, open_max=100)
    for process in (one, one, two):
        assert process.enter(HOME, 0.0)
        arrive(process, HOME, 0.0)
    due = counted(host.table, HOME)
    host.table.clear(0, 0.0)
    assert of(host) == (1, 1)
    assert of(host, NETWORK) == (1, 1)
    assert due is not None
    assert counted(host.table, HOME) == (1, 1, due[2]), "a death gives no token back"
    host.table.clear(1, 100.0)
    assert host.table.used == 0


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_table_has_the_columns_that_it_has(host: Host, wrong: int) -> None:
    with pytest.raises(ValueError, match="column"):
        host.table.clear(wrong, 0.0)
    with pytest.raises(ValueError, match="column"):
        host.process(wrong)


def test_what_says_nothing_any_more_is_forgotten_by_the_last_who_knew_it(host: Host) -> None:
    one, two = host.process(0), host.process(1)
    for process in (one, two):
        assert process.enter(HOME, 0.0)
        process.leave(HOME, 0.0)
    assert host.table.used == 2, "it, and the network around it"
    one.forget(1.0)
    assert (host.table.used, len(one)) == (2, 2)
    one.forget(3.1)
    assert (host.table.used, len(one), len(two)) == (0, 0, 2)
    assert two.enter(HOME, 4.0)
    one.enter(HOME, 4.0)
    one.leave(HOME, 4.0)
    one.forget(10.0)
    assert (len(one), of(host)) == (0, (1, 0)), "another process has it"


def test_the_memory_names_no_address_and_another_key_places_it_elsewhere() -> None:
    tables = [(fd := make(1, 65_536), AddressTable(fd, key)) for key in (KEY, b"another key, too")]
    found = []
    for fd, table in tables:
        addresses = Addresses(open_max=9, burst=9, rate=1, limits=True, host=table)
        for number in range(8):
            assert addresses.enter(f"192.0.2.{number}", 0.0)
        found.append([(slot, word) for slot, (word, _) in enumerate(slots(table)) if word])
        memory = os.pread(fd, os.fstat(fd).st_size, 0)
        assert b"192.0" not in memory
        assert bytes([192, 0, 2]) not in memory
        os.close(fd)
    assert len(found[0]) == len(found[1]) == 9
    assert not set(found[0]) & set(found[1])
    assert {slot for slot, _ in found[0]} != {slot for slot, _ in found[1]}


@pytest.mark.parametrize(("columns", "count"), [(0, 64), (COLUMNS_MAX + 1, 64), (1, 8), (1, 100), (1, 1 << 27)])
def test_a_table_that_cannot_be_is_refused(columns: int, count: int) -> None:
    with pytest.raises(ValueError, match="a table has 1 to 253 columns"):
        make(columns, count)


def test_what_is_no_such_table_is_refused(host: Host) -> None:
    other = os.memfd_create("other")
    os.ftruncate(other, os.fstat(host.fd).st_size)
    with pytest.raises(ValueError, match="no table of addresses"):
        AddressTable(other, KEY)
    os.close(other)
    with pytest.raises(ValueError, match="16 bytes"):
        AddressTable(host.fd, b"short")
    with pytest.raises(PermissionError):
        os.ftruncate(host.fd, 0)  # under whoever has it mapped


def test_as_many_processes_as_there_may_be() -> None:
    full = host_of(COLUMNS_MAX, 16)
    first, last = full.process(0), full.process(COLUMNS_MAX - 1)
    assert [first.enter(HOME, 0.0), last.enter(HOME, 0.0)] == [True, True]
    give_away(full, next(slot for slot, (word, _) in enumerate(slots(full.table)) if word), COLUMNS_MAX - 1)
    full.table.clear(COLUMNS_MAX - 1, 0.0)
    assert of(full) == (1, 0)
    os.close(full.fd)
