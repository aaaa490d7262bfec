"""The table of addresses of a host: made by one process, given to others, and put right by the first when one of them dies."""

import json
import os
import subprocess
import sys

import pytest

from ext.accept.address_limits import Addresses
from server.ops.process.shared_address_table import CensusColumn, HostAddresses, slots_for

HOME = "192.0.2.1"
# A process that was given the table: enters as often as it may, says how often that was, and stays until it is killed.
OTHER = """
import json, sys
from server.ops.process.shared_address_table import HostAddresses
from tests.server.ops.process.test_shared_address_table import judging
addresses = judging(HostAddresses(2, given=(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))).part(1))
print(json.dumps(sum(addresses.enter("192.0.2.1", 1000.0) for _ in range(9))), flush=True)
sys.stdin.read()
"""


def judging(part: CensusColumn) -> Addresses:
    """The limits of a process."""
    return Addresses(open_max=4, burst=99, rate=1, limits=True, host=part.census, column=part.column)


@pytest.fixture
def host() -> HostAddresses:
    return HostAddresses(2)


def test_a_process_that_is_exec_d_counts_with_the_one_that_made_the_table_until_it_dies(host: HostAddresses) -> None:
    ours = judging(host.part(0))
    assert ours.enter(HOME, 1000.0)
    command = [sys.executable, "-c", OTHER, str(host.fd), host.key.hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[host.fd]) as other:
        assert other.stdout is not None
        assert json.loads(other.stdout.readline()) == 3
        assert not ours.enter(HOME, 1000.0)
        other.kill()
        other.wait()
        assert not ours.enter(HOME, 1000.0), "nobody said that it is dead"
    host.died(1)
    assert [ours.enter(HOME, 1000.0) for _ in range(4)] == [True, True, True, False]
    assert host.used == 2
    host.close()


def test_each_table_has_a_key_of_its_own(host: HostAddresses) -> None:
    other = HostAddresses(2)
    assert host.key != other.key
    for table in (host, other):
        table.close()


def test_who_has_the_table_keeps_it_when_its_maker_has_closed_it(host: HostAddresses) -> None:
    ours, theirs = judging(host.part(0)), judging(HostAddresses(2, given=(os.dup(host.fd), host.key)).part(1))
    host.close()
    assert [ours.enter(HOME, 0.0), theirs.enter(HOME, 0.0), ours.enter(HOME, 0.0), theirs.enter(HOME, 0.0)] == [
        True
    ] * 4
    assert not ours.enter(HOME, 0.0)


def test_what_is_no_table_is_refused() -> None:
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="seek"):
        HostAddresses(2, given=(reader, bytes(16)))
    for end in (reader, writer):
        os.close(end)


@pytest.mark.parametrize(("people", "slots"), [(0, 65_536), (32_768, 65_536), (32_769, 131_072), (250_000, 524_288)])
def test_many_people_have_more_room(people: int, slots: int) -> None:
    assert slots_for(people) == slots
