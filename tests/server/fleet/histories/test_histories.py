"""Histories of two hosts over a hostile network: no line of a living chat is lost, doubled or heard by a stranger, and each session has one owner.

`make histories` draws as many as wanted, without hypothesis and so faster; hypothesis shrinks what it finds.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from server.ops.security.secret_keys import Keys, load
from tests.server.fleet.histories.actions import ACTIONS, PLACE, Action, Deed, gather
from tests.server.fleet.histories.history import PEOPLE, History
from tests.server.fleet.histories.mutants import MUTANTS, RARE
from tests.server.fleet.histories.run import played, world
from tests.support.groups import examples

# asyncio drops a socket that was accepted as the accept was cancelled, which is what the end of a played host is
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
SEED = 0  # of the world of the shortest test
SHORT = 20  # histories of that world
MUTANT_SEEDS = range(25)  # of worlds, within which each is found
# both of a chat come back to another worker; for one of them that is another host than that of the chat, and the answer to their resume is cut
ANSWER_CUT: tuple[Deed, ...] = (
    ("meet", {"who": 0, "other": 1, "host": 0, "worker": 0, "turns": 34, "count": 1}),
    ("wait", {"seconds": 0.3}),
    ("say", {"who": 0, "count": 2}),
    ("say", {"who": 1, "count": 2}),
    ("wait", {"seconds": 0.02}),
    ("cut", {"there": -1, "back": 1, "half": True, "silent": False, "slow": 0.01, "twice": ""}),
    ("blink", {"who": 0, "host": 0, "worker": 1, "turns": 0}),
    ("wait", {"seconds": 0.3}),
    ("blink", {"who": 1, "host": 1, "worker": 1, "turns": 0}),
    ("wait", {"seconds": 0.3}),
    ("settle", {"wholly": False}),
)

# Histories that once left a session in two processes, or that the harness told so, or in which parts answered each other without end, by what
# happens in them; users, hosts and workers are numbers.
FOUND: dict[str, list[Deed]] = {
    "who was resumed at the host of a copy goes back to another worker of the edge": [
        ("cut", {"there": -1, "back": 1, "half": False, "silent": True, "slow": 0.0, "twice": ""}),
        ("meet", {"who": 1, "other": 3, "host": 1, "worker": 0, "turns": 21, "count": 0}),
        ("move", {"who": 1, "worker": 0, "turns": 2, "dies": -1}),
        ("move", {"who": 3, "worker": 0, "turns": 2, "dies": -1}),
        ("blink", {"who": 1, "host": 0, "worker": 1, "turns": 2}),
        ("meet", {"who": 2, "other": 3, "host": 0, "worker": 0, "turns": 13, "count": 0}),
        ("blink", {"who": 1, "host": 1, "worker": 1, "turns": 1}),
        ("wait", {"seconds": 2.2}),
        ("settle", {"wholly": False}),
    ],
    "a tunnel breaks as a new hub knows no other host yet": [
        ("settle", {"wholly": False}),
        ("move", {"who": 1, "worker": 1, "turns": 0, "dies": 1}),
        ("settle", {"wholly": False}),
        ("gather", {"places": [(0, 0), (1, 1), (0, 0), (1, 0)]}),
        ("cut", {"there": 2, "back": -1, "half": True, "silent": False, "slow": 0.0, "twice": "end"}),
        ("meet", {"who": 3, "other": 3, "host": 0, "worker": 0, "turns": 21, "count": 0}),
        ("wait", {"seconds": 0.001}),
        ("ping", {"who": 3, "first": 7}),
        ("die", {"host": 0, "name": "hub"}),
        ("drop", {"who": 0}),
        ("settle", {"wholly": False}),
    ],
    "a worker dies as it is emptied": [
        ("blink", {"who": 3, "host": 1, "worker": 1, "turns": 5}),
        ("settle", {"wholly": False}),
        ("cut", {"there": -1, "back": 2, "half": False, "silent": True, "slow": 0.0, "twice": ""}),
        ("move", {"who": 0, "worker": 1, "turns": 1, "dies": 1}),
        ("find", {"first": 2, "count": 3}),
        ("begin", {"who": 1, "closes": True, "host": 1, "worker": 1}),
        ("cross", {"who": 3, "count": 1}),
        ("evacuate", {"host": 0, "worker": 1}),
        ("blink", {"who": 1, "host": 1, "worker": 0, "turns": 8}),
        ("settle", {"wholly": False}),
    ],
    "a tunnel to a worker that was emptied breaks in the moment of a check": [
        ("blink", {"who": 3, "host": 1, "worker": 1, "turns": 5}),
        ("settle", {"wholly": False}),
        ("cut", {"there": -1, "back": 2, "half": False, "silent": True, "slow": 0.0, "twice": ""}),
        ("move", {"who": 0, "worker": 1, "turns": 1, "dies": 1}),
        ("find", {"first": 2, "count": 3}),
        ("begin", {"who": 1, "closes": True, "host": 1, "worker": 1}),
        ("turn", {"count": 1}),
        ("evacuate", {"host": 0, "worker": 1}),
        ("turn", {"count": 21}),
        ("wait", {"seconds": 0.3}),
        ("restart", {}),
        ("come", {"who": 2, "host": 1, "worker": 0}),
        ("come", {"who": 0, "host": 1, "worker": 0}),
        ("wait", {"seconds": 1.1}),
        ("wait", {"seconds": 1.1}),
        ("settle", {"wholly": False}),
    ],
    "who searches is to meet somebody at a worker that has a copy of them": [
        ("die", {"host": 0, "name": "frontend"}),
        ("restart", {}),
        ("die", {"host": 0, "name": "frontend"}),
        ("settle", {"wholly": False}),
        ("die", {"host": 1, "name": "frontend"}),
        ("restart", {}),
        ("die", {"host": 1, "name": "frontend"}),
        ("settle", {"wholly": False}),
        ("wait", {"seconds": 1.1}),
        ("die", {"host": 0, "name": "frontend"}),
        ("settle", {"wholly": False}),
        ("stray", {"who": 1, "other": 1, "host": 1, "worker": 1, "turns": 34, "seconds": 0.002}),
        ("stray", {"who": 2, "other": 3, "host": 1, "worker": 1, "turns": 34, "seconds": 0.002}),
        ("evacuate", {"host": 1, "worker": 0}),
        ("stray", {"who": 1, "other": 0, "host": 1, "worker": 1, "turns": 21, "seconds": 0.3}),
        ("settle", {"wholly": False}),
    ],
}


@pytest.mark.timeout(180)
def test_nothing_is_lost_doubled_or_owned_twice_in_histories_that_are_always_drawn_alike(secret: Keys) -> None:
    told = world(SEED, secret, SHORT)
    assert not told.fault, (told.fault, told.deeds)
    assert told.tally["groups that meet others"]


@pytest.mark.timeout(60)
def test_who_is_not_told_that_they_are_resumed_goes_on_in_their_chat(secret: Keys) -> None:
    assert not played(0, secret, ANSWER_CUT).fault


@pytest.mark.timeout(60)
def test_sessions_whose_common_message_is_refused_meet_one_by_one(secret: Keys) -> None:
    met = {"host": 0, "worker": 0, "turns": 8, "refused": 1, "dies": -1, "count": 1}
    told = played(0, secret, [("group", met), ("wait", {"seconds": 1.1}), ("settle", {"wholly": False})])
    assert (told.fault, told.tally["groups refused"]) == ("", 1)
    assert told.tally["lines heard"] >= PEOPLE


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", FOUND)
def test_all_holds_in_histories_in_which_it_did_not(secret: Keys, name: str) -> None:
    assert not played(0, secret, FOUND[name]).fault


class Histories(RuleBasedStateMachine):
    """One history a run; its rules are those of `ACTIONS`."""

    def __init__(self) -> None:
        super().__init__()
        with tempfile.TemporaryDirectory() as folder:
            secret = load(Path(folder))
        self._open = contextlib.ExitStack()
        self.history = self._open.enter_context(History(secret))

    @initialize(
        places=st.lists(st.tuples(st.sampled_from(PLACE), st.sampled_from(PLACE)), min_size=PEOPLE, max_size=PEOPLE)
    )
    def all_come(self, places: list[tuple[int, int]]) -> None:
        """Users connect."""
        gather(self.history, places)

    @rule()
    def all_is_well(self) -> None:
        """The network is well, and what holds then is checked."""
        self.history.settles()

    def teardown(self) -> None:
        """Check what holds at the end."""
        with self._open:
            self.history.settles()


def rule_of(action: Action) -> Callable[..., None]:
    """Make an action a rule of the machine."""

    def do(self: Histories, **given: Any) -> None:
        action.do(self.history, **given)

    do.__name__ = action.do.__name__
    drawn: Callable[..., None] = rule(**{of: st.sampled_from(choices) for of, choices in action.choices.items()})(do)
    return drawn


Machine: type[Histories] = type("Machine", (Histories,), {name: rule_of(action) for name, action in ACTIONS.items()})
Machine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None, derandomize=True)


@pytest.mark.thorough
@pytest.mark.timeout(900)
class TestHistories(Machine.TestCase):  # type: ignore[misc]
    """The same, as hypothesis draws and shrinks it."""


@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", [name for name in MUTANTS if name not in RARE])
def test_histories_find_a_step_of_a_migration_that_is_left_out_or_done_twice(secret: Keys, mutant: str) -> None:
    def faults() -> Iterator[str]:
        with MUTANTS[mutant]():
            for seed in MUTANT_SEEDS:
                yield world(seed, secret).fault

    assert any(faults())
