"""Names and numbers of processes: each has one of both, on every host."""

from __future__ import annotations

import pytest

from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from server.fleet.ipc.process_names import Names, elsewhere, node_in, place

HERE, THERE = "00000000ab", "fedcba9876"


@pytest.mark.parametrize("name", [FRONTEND, "worker 1", "worker 255", f"@{THERE} 0", f"@{THERE} 255"])
def test_a_number_is_one_process_s(name: str) -> None:
    here = Names(HERE)
    assert here.name(here.number(name)) == name


def test_another_host_has_the_same_number_and_another_name() -> None:
    here, there = Names(HERE), Names(THERE)
    number = here.number("worker 3")
    assert there.name(number) == f"@{HERE} 3"
    assert elsewhere(there.name(number))
    assert place(there.name(number)) == (HERE, 3)
    assert node_in(number) == HERE
    assert here.is_here(number)
    assert not there.is_here(number)


def test_alone_a_number_is_the_worker_s() -> None:
    assert Names().number("worker 7") == 7
    assert Names().number(HUB) == Names(HERE).number(HUB) == -1


def test_a_name_of_this_host_has_no_node() -> None:
    with pytest.raises(ValueError, match="worker 3"):
        place("worker 3")


def test_a_process_has_one_name_for_all_others() -> None:
    here = Names(HERE)
    assert [here.cluster_name(name) for name in ("worker 3", "frontend", f"@{THERE} 2")] == [
        f"@{HERE} 3",
        f"@{HERE} 0",
        f"@{THERE} 2",
    ]
    assert here.name(here.number(here.cluster_name("worker 3"))) == "worker 3"
