"""Where several workers read all tests, each reads a part first, so that in a fresh checkout every file is made ready by one of them.

Rule: it changes nothing but the order in which modules are imported. pytest writes the module of a test anew when it is first imported (so that
assertions say what they saw), and keeps what it wrote beside it: half of what reading all tests for the first time computes. All workers begin
at once and in one order, so each would write every file.
"""

import importlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest


def share(files: Sequence[Path], worker: str, workers: int) -> Sequence[Path]:
    """The part of the files that a worker (xdist's name of it, `gw0` and so on) reads first."""
    return files[int(worker.removeprefix("gw")) :: workers]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Read this worker's share, where all is to be read. What cannot be read is pytest's to tell."""
    config = session.config
    given = getattr(config, "workerinput", None)
    if given is None or config.option.markexpr or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for path in share(modules(config.rootpath, config.getini("testpaths")), given["workerid"], given["workercount"]):
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.with_suffix("").parts))


def modules(root: Path, folders: Sequence[str]) -> list[Path]:
    """The tests whose modules have the names of their places, from `root` on: those in packages."""
    found = (path for folder in folders for path in root.joinpath(folder).rglob("test_*.py"))
    return sorted(path.relative_to(root) for path in found if path.with_name("__init__.py").exists())
