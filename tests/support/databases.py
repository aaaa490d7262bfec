"""Which test opened a database of SQLite that nobody closed.

Rule: it only tells. Python warns of one when it is collected, which may be minutes later and in the midst of another test, which then fails.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

UNCLOSED = re.compile(r"unclosed database in <sqlite3\.Connection object at (0x[0-9a-f]+)>")

_connect = sqlite3.connect
_opened: dict[int, str] = {}  # by address, which has another one when it is used again


def connected(*how: Any, **more: Any) -> sqlite3.Connection:
    """As `sqlite3.connect`; the test is noted."""
    made = _connect(*how, **more)
    _opened[id(made)] = os.environ.get("PYTEST_CURRENT_TEST", "no test")
    return made


def openers(text: str) -> list[str]:
    """Who opened the databases of which a text says that they are unclosed."""
    return [_opened.get(int(address, 16), "not known") for address in UNCLOSED.findall(text)]


def pytest_configure() -> None:
    """From here on."""
    sqlite3.connect = sqlite3.dbapi2.connect = connected  # type: ignore[assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """A report of one says who opened it."""
    report: pytest.TestReport = yield  # type: ignore[misc]
    if report.failed and (found := openers(report.longreprtext)):
        report.longrepr.addsection("opened by", "\n".join(found))  # type: ignore[union-attr]
    return report  # type: ignore[return-value]
