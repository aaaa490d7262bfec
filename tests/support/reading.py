"""Each process of a run begins to read the tests at another file.

Rule: it only brings forward what the collection would do: all that is collected is imported in each process, and what one of them has compiled the
others need not compile, which is a third of the time until the first test where nothing was compiled yet. Only where all is collected.
"""

import contextlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """In a process of several."""
    whose = getattr(session.config, "workerinput", None)
    if whose is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(Path(ROOT, "tests").rglob("test_*.py"))
    for file in begun(files, int(whose["workerid"].removeprefix("gw")), whose["workercount"]):
        with contextlib.suppress(Exception, pytest.skip.Exception):  # the collection says what is wrong with it
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def begun(files: Sequence[Path], number: int, count: int) -> list[Path]:
    """All of them, as the process `number` of `count` reads them."""
    first = number * len(files) // count
    return [*files[first:], *files[:first]]
