"""What can happen in a history, with all choices of each action: hypothesis draws from this table, and so does `run` without it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from tests.server.fleet.histories.history import HOSTS, PEOPLE, History
from tests.server.fleet.histories.hosts import POINTS
from tests.server.fleet.histories.network import END, ONCE, Fate

WHO: Final = tuple(range(PEOPLE))
PLACE: Final = (0, 1)
PIECES: Final = (-1, -1, 0, 1, 2, 3)
NO: Final = (False, False, False, True)
SOME: Final = (0, 1, 3, 7)  # bytes of a frame, 0: all
LENGTH: Final = (8, 30)  # actions of a history
ANEW: Final = 0.75  # of histories begin with new users
WHOLLY: Final = 1 / 32  # of histories end only once nothing is left that waits
WORDS: Final = ("sailing", "rowing")  # of the two pairs of a group
TURNS: Final = (0, 1, 2, 3, 5, 8, 13, 21)


class Action(NamedTuple):
    """One kind of event. `weight`: how often it comes, beside the others; `choices`: of each argument."""

    do: Callable[..., None]
    weight: int
    choices: Mapping[str, Sequence[Any]]


def come(history: History, who: int, host: int, worker: int) -> None:
    """A client connects, or comes back."""
    history.comes(who, host, worker)


def find(history: History, first: int, count: int) -> None:
    """Some search."""
    history.finds([(first + place) % PEOPLE for place in range(count)])


def say(history: History, who: int, count: int) -> None:
    """Lines are said."""
    history.says(who, count)


def ping(history: History, who: int, first: int) -> None:
    """An answer is asked for, perhaps by a frame in two pieces."""
    history.pings(who, first)


def cross(history: History, who: int, count: int) -> None:
    """A user leaves a chat as the partner says something."""
    history.crosses(who, count)


def leave(history: History, who: int) -> None:
    """A user leaves."""
    history.leaves(who)


def drop(history: History, who: int) -> None:
    """A connection is lost."""
    history.drops(who)


def blink(history: History, who: int, host: int, worker: int, turns: int) -> None:
    """A connection is lost, and the client comes back, to any host."""
    history.drops(who)
    history.turns(turns)
    history.comes(who, host, worker)


def begin(history: History, who: int, closes: bool, host: int, worker: int) -> None:
    """A new user connects, and searches."""
    history.is_new(who, closes)
    history.comes(who, host, worker)
    history.turns(4)
    history.finds([who])


def meet(history: History, who: int, other: int, host: int, worker: int, turns: int, count: int) -> None:
    """Two new users connect to different hosts, and search; one sends lines as soon as they are in a chat."""
    pair = sorted({who, other})
    history.all_are_new(pair)
    history.all_come({one: (host + place, worker) for place, one in enumerate(pair)})
    history.turns(4)
    history.finds(pair)
    history.turns(turns)
    history.says(who, count)


def group(history: History, host: int, worker: int, turns: int, refused: int, dies: int, count: int) -> None:
    """Two pairs of new users, each over both workers of a host, search in one turn: the two of one worker move to the other in one message, which may
    be refused, and one of the workers may die meanwhile.
    """
    history.refuses(refused)
    history.all_are_new(WHO)
    history.all_come({who: (host, worker + who // len(WORDS)) for who in WHO})
    history.turns(4)
    history.finds(WHO, WORDS)
    history.turns(turns)
    if dies >= 0:
        history.dies(host, f"worker {1 + dies}")
    for who in WHO:
        history.says(who, count)


def move(history: History, who: int, worker: int, turns: int, dies: int) -> None:
    """A session is drained to another worker, and one of the two may die meanwhile."""
    where = history.place_of(who)
    history.moves(who, worker, turns)
    if dies >= 0 and where is not None:
        history.dies(where, f"worker {1 + (worker + dies) % 2}")


def stray(history: History, who: int, other: int, host: int, worker: int, turns: int, seconds: float) -> None:
    """Two users meet over hosts, the acknowledgement is lost without a word, and the copy moves on to another worker."""
    history.cuts([Fate(back=1, silent=True)])
    meet(history, who, other, host, worker, turns, 0)
    history.passes(seconds)
    for one in (who, other):
        history.moves(one, worker + 1, 2)


def evacuate(history: History, host: int, worker: int) -> None:
    """A worker is emptied to the other host."""
    history.evacuates(host, worker)


def cut(history: History, there: int, back: int, half: bool, silent: bool, slow: float, twice: str) -> None:
    """Something happens to the next connection between hosts."""
    history.cuts([Fate(there, back, half, silent, slow, twice)])


def fail(history: History, mishap: str, well: int, count: int) -> None:
    """Something happens to the next messages between hubs."""
    history.fails([""] * well + [mishap] * count)


def cut_off(history: History, host: int, on: bool, bus: bool) -> None:
    """A host is cut off, or reached again."""
    history.cuts_off(host, on, bus)


def arm(history: History, point: str, times: int) -> None:
    """A process is to die at a point of the code."""
    history.dies_at(point, times)


def die(history: History, host: int, name: str) -> None:
    """A process dies now."""
    history.dies(host, name)


def restart(history: History) -> None:
    """The dead are started."""
    history.restarts()


def gather(history: History, places: Sequence[tuple[int, int]]) -> None:
    """All users are new ones, each at a worker of a host, and search."""
    history.all_are_new(WHO)
    history.all_come(dict(enumerate(places)))
    history.turns(8)
    history.finds(WHO)


def settle(history: History, wholly: bool) -> None:
    """All is well, and what holds then is checked."""
    history.settles(wholly)


def turn(history: History, count: int) -> None:
    """The loop turns."""
    history.turns(count)


def wait(history: History, seconds: float) -> None:
    """Time passes."""
    history.passes(seconds)


ACTIONS: Final = {
    action.do.__name__: action
    for action in (
        Action(come, 3, {"who": WHO, "host": PLACE, "worker": PLACE}),
        Action(find, 5, {"first": WHO, "count": (1, 2, 2, 3, 4)}),
        Action(say, 6, {"who": WHO, "count": (1, 2, 5)}),
        Action(ping, 3, {"who": WHO, "first": SOME}),
        Action(cross, 2, {"who": WHO, "count": (1, 2)}),
        Action(leave, 1, {"who": WHO}),
        Action(drop, 1, {"who": WHO}),
        Action(blink, 4, {"who": WHO, "host": PLACE, "worker": PLACE, "turns": TURNS}),
        Action(begin, 3, {"who": WHO, "closes": (True, True, True, False), "host": PLACE, "worker": PLACE}),
        Action(meet, 6, {"who": WHO, "other": WHO, "host": PLACE, "worker": PLACE, "turns": (13, 21, 34), "count": (0, 1, 3)}),
        Action(
            group,
            2,
            {"host": PLACE, "worker": PLACE, "turns": (1, 2, 3, 4, 5, 6, 8), "refused": (0, 0, 1), "dies": (-1, -1, 0, 1), "count": (0, 1, 3)},
        ),
        Action(move, 4, {"who": WHO, "worker": PLACE, "turns": (0, 0, 1, 2), "dies": (-1, -1, 0, 1)}),
        Action(stray, 1, {"who": WHO, "other": WHO, "host": PLACE, "worker": PLACE, "turns": (21, 34), "seconds": (0.002, 0.02, 0.3)}),
        Action(evacuate, 1, {"host": PLACE, "worker": PLACE}),
        Action(
            cut,
            8,
            {"there": PIECES, "back": PIECES, "half": NO, "silent": NO, "slow": (0.0, 0.0, 0.01, 0.7), "twice": ("", "", "", "", ONCE, END)},
        ),
        Action(fail, 2, {"mishap": ("lost", "doubled", "late"), "well": (0, 1, 3), "count": (1, 2, 8)}),
        Action(cut_off, 1, {"host": PLACE, "on": (True, False), "bus": (True, False)}),
        Action(arm, 4, {"point": POINTS, "times": (0, 0, 0, 1)}),
        Action(die, 1, {"host": PLACE, "name": ("worker 1", "worker 2", HUB, FRONTEND)}),
        Action(restart, 2, {}),
        Action(turn, 6, {"count": TURNS}),
        Action(wait, 4, {"seconds": (0.001, 0.02, 0.3, 1.1, 2.2)}),
    )
}  # fmt: skip
NAMES: Final = tuple(name for name, action in ACTIONS.items() for _ in range(action.weight))


BESIDE: Final = {"gather": gather, "settle": settle}  # what begins and ends a history, and is not drawn
Deed = tuple[str, dict[str, Any]]  # name and arguments of what is done


def do(history: History, deed: Deed) -> None:
    """Do it."""
    name, given = deed
    (BESIDE[name] if name in BESIDE else ACTIONS[name].do)(history, **given)


def draw(dice: random.Random) -> Deed:
    """Draw an action with its arguments."""
    name = dice.choice(NAMES)
    return name, {of: dice.choice(choices) for of, choices in ACTIONS[name].choices.items()}


def draw_history(dice: random.Random, is_first: bool) -> Iterator[Deed]:
    """Draw a history. `is_first`: of its world; else the users mostly begin anew, and sometimes go on."""
    if is_first or dice.random() < ANEW:
        yield "gather", {"places": [(dice.choice(range(HOSTS)), dice.choice(PLACE)) for _ in WHO]}
    for _ in range(dice.randint(*LENGTH)):
        yield draw(dice)
    yield "settle", {"wholly": dice.random() < WHOLLY}
