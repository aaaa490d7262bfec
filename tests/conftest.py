"""What holds for every test: a time limit, warnings are errors, no blocking call in a loop, nothing left alive.

Rule: a test that must break one of these says so with a marker (`blocking`, `leaks`) and a reason beside it.
"""

import functools
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

from ext.compiled_module_switch import stale

# Hypothesis measures by the clock on the wall: an example over 200 ms fails, and so does drawing that is slow. Both say
# what else the machine does; how long a test may take is said by pytest-timeout.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

pytest_plugins = [
    "pytester",
    "tests.support.databases",
    "tests.support.groups",
    "tests.support.forkserver",  # which asks it
    "tests.support.ledger",
    "tests.support.network",
    "tests.support.reading",
    "tests.support.scratch",
    "tests.support.shares",
    "tests.support.stores",
    "tests.support.unsteady",
]

DESCRIPTORS_MAX = 20_000  # that tests need
OURS = ["server", "serendip_client", "engine", "ext"]
# Places that may block, because their loop is their own: the migration runs in a thread with a loop for itself.
# A path of the database is made absolute, which blockbuster counts: no file is touched.
MAY_BLOCK = (
    ("server/data/database/schema_migration.py", {"upgrade", "differences"}),
    ("server/data/database/alembic_runner.py", {"take", "compare"}),
    ("sqlalchemy/dialects/sqlite/pysqlite.py", {"create_connect_args"}),
    ("babel/localedata.py", {"exists", "load"}),  # a file of the package, where a language is first spoken: 6 ms
    ("coverage/collector.py", {"lock_data"}),  # where lines are counted, whichever line it is
    (
        "asyncpg/connect_utils.py",
        {"_parse_connect_dsn_and_args"},
    ),  # a few stats of certificate files, once a connection
)


def pytest_configure() -> None:
    """Refuse modules that are older than their source, and allow as many descriptors as this user may have: a login shell allows 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, DESCRIPTORS_MAX), most))
    if old := stale(Path(__file__).parents[1]):
        raise pytest.UsageError(f"compiled before the source was changed: {', '.join(old)}; run `make build`")


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a coroutine test in which our code calls something that blocks the loop (file, socket, sleep, lock)."""
    if request.node.get_closest_marker("asyncio") is None or request.node.get_closest_marker("blocking"):
        yield
        return
    guard = _guard()
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()


@functools.cache  # it looks for the folders of packages some fifty times
def _guard() -> BlockBuster:
    """What fails who blocks, while it is active."""
    guard = BlockBuster(OURS)
    for called in guard.functions.values():
        for file, functions in MAY_BLOCK:
            called.can_block_in(file, functions)
    return guard
