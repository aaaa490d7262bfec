"""Fail a test that leaves more counted objects of the compiled modules alive than it found: the leak ledger.

**Invariant:** a module of ext that counts its objects has a function `alive() -> dict[str, int]` (kind to number) and is thereby checked
here; several modules may count one kind. Objects of fixtures with a wider scope do not count against a test. A test that must leave objects
has the marker `leaks`.
"""

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest

COUNTED = "ext.reactor.reactor"  # it makes connections, so some module must count them

_thawed: list[bool] = []  # not empty while nothing is frozen
_kept: Counter[str] = Counter()  # objects of wide fixtures since the run began


class Silent(AssertionError):
    """Raised if no module of ext counts its objects any more, so that the ledger would be without effect."""


def alive() -> Counter[str]:
    """Return the number of live objects of each kind, over all loaded modules of ext. Raises Silent."""
    counts = {count for module in _ours() if callable(count := getattr(module, "alive", None))}
    if not counts and COUNTED in sys.modules:
        raise Silent("no module of ext has `alive`")
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count())
    return total


class _Ours:
    """The loaded modules of ext, searched again only if modules were added or removed, since each test asks three times."""

    def __init__(self) -> None:
        self._found: dict[str, ModuleType] = {}
        self._state = (
            0,
            "",
        )  # number of modules and name of the last: a new module is behind all others

    def __call__(self) -> Iterable[ModuleType]:
        state = (len(sys.modules), next(reversed(sys.modules)))
        if state != self._state or any(sys.modules.get(name) is not module for name, module in self._found.items()):
            self._found = {name: module for name, module in sys.modules.copy().items() if name.startswith("ext.")}
            self._state = state
        return self._found.values()


_ours = _Ours()


def left_since(before: Counter[str]) -> Counter[str]:
    """Return the kinds with more live objects than `before`, and the difference.

    Garbage is collected only then, old objects only if some are left.
    """
    for generation in range(3):
        if not (left := alive() - before):
            return left
        gc.collect(generation)
    return alive() - before


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Freeze objects that exist before the first test: the collector need not visit them in any test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        freeze()


def freeze() -> None:
    """Exclude all live objects from garbage collection."""
    gc.collect()
    gc.freeze()
    _thawed.clear()


def thaw() -> None:
    """Undo `freeze` until the test ends, for a test of what freezes; each collection then visits all objects of the run."""
    gc.unfreeze()
    _thawed.append(True)  # asking the collector takes as long as a full collection


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Note what a fixture creates that outlives the test. A nested fixture is within its own difference."""
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
    """Fail a test that leaves more objects alive than it found."""
    before, noted, failures = alive(), _kept.copy(), request.session.testsfailed
    yield
    if isinstance(request.node, pytest.Function):
        request.node.funcargs.clear()  # otherwise pytest holds the test's fixtures until the next test
    # A failed test is not checked: its traceback holds its objects.
    if request.node.get_closest_marker("leaks") or request.session.testsfailed > failures:
        return
    left = left_since(before + (_kept - noted))
    if _thawed:
        freeze()
    if left:
        pytest.fail("left alive: " + ", ".join(f"{number} {kind}" for kind, number in sorted(left.items())))
