"""Let each process of a run begin to read the tests at another file.

**Invariant:** only the order of imports changes. Each process imports all tests, and what one has compiled the others need not compile,
which is a third of the time until the first test if nothing was compiled before. Active only if all tests are collected.
"""

import contextlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import this process's files first, if there are several processes."""
    whose = getattr(session.config, "workerinput", None)
    if whose is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(Path(ROOT, "tests").rglob("test_*.py"))
    for file in begun(files, int(whose["workerid"].removeprefix("gw")), whose["workercount"]):
        with contextlib.suppress(Exception, pytest.skip.Exception):  # the collection reports the fault
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def begun(files: Sequence[Path], number: int, count: int) -> list[Path]:
    """Return the files in the order of the process `number` of `count`."""
    first = number * len(files) // count
    return [*files[first:], *files[:first]]
