"""What a generation leaves to the next: its sockets, and the table of addresses in columns of its own."""

import os
import socket

import pytest

from ext.accept.address_table import COLUMNS_MAX
from server.fleet.supervisor.supervisor_upgrade_state import GenerationState, made, unpacked
from server.ops.process.listening_sockets import listen_at


def inherited(upgrade_state: GenerationState, processes: int) -> GenerationState:
    """As the next generation of so many has it."""
    records, descriptors = upgrade_state.packed()
    return unpacked(records, descriptors, processes)


def close(*upgrade_states: GenerationState) -> None:
    for upgrade_state in upgrade_states:
        upgrade_state.sockets.close()
        upgrade_state.table.close()


def test_the_next_has_the_same_sockets_and_the_other_half_of_the_same_table() -> None:
    one = made(3)
    one.sockets.get("server", lambda: listen_at("127.0.0.1", 0)).close()
    two = inherited(one, 3)
    three = inherited(two, 3)
    assert [upgrade_state.first for upgrade_state in (one, two, three)] == [0, 3, 0]
    assert one.table.key == two.table.key == three.table.key
    assert [os.fstat(upgrade_state.table.fd).st_ino for upgrade_state in (two, three)] == [
        os.fstat(one.table.fd).st_ino
    ] * 2
    there = [upgrade_state.sockets.all()["server"] for upgrade_state in (one, two, three)]
    assert len({sock.getsockname() for sock in there}) == 1
    assert not any(sock.getblocking() for sock in there)
    close(one, two, three)


@pytest.mark.parametrize("processes", [4, 200])
def test_more_than_the_table_has_room_for_have_a_table_of_their_own(processes: int) -> None:
    one = made(3)
    one.sockets.get("server", lambda: listen_at("127.0.0.1", 0)).close()
    two = inherited(one, processes)
    assert (two.first, two.table.columns) == (0, min(2 * processes, COLUMNS_MAX))
    assert two.table.key != one.table.key
    assert list(two.sockets.all()) == ["server"]
    close(one, two)


def test_what_is_no_table_of_this_release_is_left() -> None:
    ours, theirs = socket.socketpair()
    upgrade_state = unpacked([[], "00" * 16, 6, 0], (ours.fileno(),), 3)
    assert upgrade_state.table.columns == 6
    close(upgrade_state)
    ours.close()
    theirs.close()
