"""What holds for every test: a time limit, warnings are errors, no blocking call in a loop, nothing left alive.

Rule: a test that must break one of these says so with a marker (`blocking`, `leaks`) and a reason beside it.
"""

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests import ledger

OURS = ["server", "client", "engine", "ext"]


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a coroutine test in which our code calls something that blocks the loop (file, socket, sleep, lock)."""
    if request.node.get_closest_marker("asyncio") is None or request.node.get_closest_marker("blocking"):
        yield
        return
    with blockbuster_ctx(OURS):
        yield


@pytest.fixture(autouse=True)
def leak_ledger(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves more counted objects of a compiled module alive than it found (tests/ledger.py)."""
    before = ledger.alive()
    yield
    if request.node.get_closest_marker("leaks"):
        return
    left = ledger.left_since(before)
    if left:
        pytest.fail("left alive: " + ", ".join(f"{count} {kind}" for kind, count in sorted(left.items())))
