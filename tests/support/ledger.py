"""The leak ledger: a test that leaves more counted objects of the compiled modules alive than it found fails.

Rule: a module of ext that counts its objects has a function `alive() -> dict[str, int]` (kind to number); that is
all it takes to be watched here, and one kind may be counted by several modules. What fixtures of a wider scope make
while a test runs is theirs, not the test's. A test that must leave something says so with the marker `leaks`.
"""

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest

COUNTED = "ext.reactor.reactor"  # whoever loaded this has connections, so somebody must count them

_thawed: list[bool] = []  # holds something while nothing is frozen
_kept: Counter[str] = Counter()  # what wide fixtures made, since the run began


class Silent(AssertionError):
    """No module of ext counts its objects any more: the ledger would hold nothing against anybody."""


def alive() -> Counter[str]:
    """How many of each kind live now, over every loaded module of ext. Raises Silent."""
    counts = {count for module in _ours() if callable(count := getattr(module, "alive", None))}
    if not counts and COUNTED in sys.modules:
        raise Silent("no module of ext has `alive`")
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count())
    return total


class _Ours:
    """The loaded modules of ext: looked for among some thousand only where one came or went, since most tests ask three times."""

    def __init__(self) -> None:
        self._found: dict[str, ModuleType] = {}
        self._state = (
            0,
            "",
        )  # how many modules there were, and which was the last: a new name stands behind all others

    def __call__(self) -> Iterable[ModuleType]:
        state = (len(sys.modules), next(reversed(sys.modules)))
        if state != self._state or any(sys.modules.get(name) is not module for name, module in self._found.items()):
            self._found = {name: module for name, module in sys.modules.copy().items() if name.startswith("ext.")}
            self._state = state
        return self._found.values()


_ours = _Ours()


def left_since(before: Counter[str]) -> Counter[str]:
    """Kinds of which more live now than `before`, with the difference; collects garbage only then, and what is old only for what is left."""
    for generation in range(3):
        if not (left := alive() - before):
            return left
        gc.collect(generation)
    return alive() - before


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """What is there before the first test is no garbage: the collector need not look at it while it comes, nor later, when most tests call it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        freeze()


def freeze() -> None:
    """What is alive now is no garbage."""
    gc.collect()
    gc.freeze()
    _thawed.clear()


def thaw() -> None:
    """For a test of what freezes: all may be garbage again, until the test is over; each collection looks at the whole run till then."""
    gc.unfreeze()
    _thawed.append(True)  # to ask the collector takes it as long as it would to look at all


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Note what a fixture makes that outlives the test. A fixture that it asks for is within its own difference."""
    if fixturedef.scope == "function":
        return (yield)
    noted, before = _kept.copy(), alive()
    try:
        return (yield)
    finally:
        _kept.clear()
        _kept.update(noted + (alive() - before))


@pytest.fixture(autouse=True)
def leak_ledger(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves more alive than it found."""
    before, noted, failures = alive(), _kept.copy(), request.session.testsfailed
    yield
    if isinstance(request.node, pytest.Function):
        request.node.funcargs.clear()  # else pytest holds the test's fixtures until the next test
    # A test that failed has said enough: its traceback holds what it had.
    if request.node.get_closest_marker("leaks") or request.session.testsfailed > failures:
        return
    left = left_since(before + (_kept - noted))
    if _thawed:
        freeze()
    if left:
        pytest.fail("left alive: " + ", ".join(f"{number} {kind}" for kind, number in sorted(left.items())))
