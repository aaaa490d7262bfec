"""Let each of several workers read a part of the tests first, so that in a fresh checkout each file is prepared by one of them.

**Invariant:** only the order of imports changes. pytest rewrites a test module when it is first imported (so that assertions show values)
and caches the result: half of the work of reading all tests for the first time. Workers that begin at once in the same order would each
rewrite every file.
"""

import importlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest


def share(files: Sequence[Path], worker: str, workers: int) -> Sequence[Path]:
    """Return the files that a worker (xdist's name: `gw0` and so on) reads first."""
    return files[int(worker.removeprefix("gw")) :: workers]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Read this worker's share, if all tests are read. pytest reports unreadable files."""
    config = session.config
    given = getattr(config, "workerinput", None)
    if given is None or config.option.markexpr or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for path in share(modules(config.rootpath, config.getini("testpaths")), given["workerid"], given["workercount"]):
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.with_suffix("").parts))


def modules(root: Path, folders: Sequence[str]) -> list[Path]:
    """Return the test files whose modules are named by their path from `root`: those in packages."""
    found = (path for folder in folders for path in root.joinpath(folder).rglob("test_*.py"))
    return sorted(path.relative_to(root) for path in found if path.with_name("__init__.py").exists())
