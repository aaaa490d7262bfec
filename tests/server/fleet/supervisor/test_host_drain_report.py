"""A host that leaves its cell: who ordered it is told how it goes, whatever becomes of its processes."""

from __future__ import annotations

from typing import Any

import pytest

from server.fleet.ipc.ipc_peers import HUB
from server.fleet.supervisor.host_drain_report import ALONE, NOT_TAKEN, HostDrain, others


class Child:
    """A process, as it stands."""

    def __init__(self, name: str, **report: Any) -> None:
        self.name, self.report = name, report


class Asker:
    """Who ordered it."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def say(self, line: dict[str, Any]) -> None:
        self.lines.append(line)

    end = say


def host(*states: str) -> dict[str, Any]:
    """Two workers and a hub that hears hosts in these states."""
    rows = [[f"{number}", "x:1", "1.0", state, 5, 0.0] for number, state in enumerate(states)]
    names = [Child("worker 1", people=3, moved=[]), Child("worker 2", people=2), Child(HUB, cluster={"others": rows})]
    return {child.name: child for child in names}


def departure(children: dict[str, Any]) -> tuple[HostDrain, Asker]:
    asker: Any = Asker()
    return HostDrain(asker, children), asker


def test_only_hosts_that_serve_take_people() -> None:
    child: Any = host("serving", "draining", "suspect", "serving")[HUB]
    assert others(child) == 2
    assert others(None) == others(Child(HUB)) == 0  # type: ignore[arg-type]  # as it stands, alone


def test_it_is_told_how_many_are_left_and_who_could_not_go() -> None:
    children = host("serving")
    made, asker = departure(children)
    made.look(children)
    children["worker 1"].report = {"people": 0, "moved": [3, 1, 0]}
    made.look(children)
    for name in ("worker 1", "worker 2", HUB):
        made.gone(children.pop(name))
    made.over()
    assert asker.lines[:-1] == [
        {"step": "hosts", "hosts": 1, "said": ""}, {"step": "moving", "left": 5}, {"step": "moving", "left": 2},
    ]  # fmt: skip
    last = asker.lines[-1]
    assert (last["done"], last["people"], last["chats"], last["stayed"]) == (True, 3, 1, 2), (
        "worker 2 said nothing of anybody"
    )
    assert last["said"] == NOT_TAKEN


def test_alone_it_is_said_first_what_comes() -> None:
    made, asker = departure(host())
    made.over()
    assert (asker.lines[0]["said"], asker.lines[-1]["said"]) == (ALONE, "")


@pytest.mark.parametrize("moved", [None, [1], ["a", "b", "c"], "all", {}])
def test_what_a_process_says_that_is_no_figure_counts_as_nobody_gone(moved: Any) -> None:
    children = host("serving")
    made, asker = departure(children)
    children["worker 1"].report["moved"] = moved
    made.gone(children["worker 1"])
    made.over()
    assert (asker.lines[-1]["people"], asker.lines[-1]["stayed"]) == (0, 3)
