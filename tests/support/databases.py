"""Name the test that opened an SQLite database and did not close it.

**Invariant:** it only reports. Python warns of an open database when it collects it, possibly minutes later during another test, which then
fails.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

UNCLOSED = re.compile(r"unclosed database in <sqlite3\.Connection object at (0x[0-9a-f]+)>")

_connect = sqlite3.connect
_opened: dict[int, str] = {}  # by address, overwritten when it is reused


def connected(*how: Any, **more: Any) -> sqlite3.Connection:
    """Replace `sqlite3.connect` and note the current test."""
    made = _connect(*how, **more)
    _opened[id(made)] = os.environ.get("PYTEST_CURRENT_TEST", "no test")
    return made


def openers(text: str) -> list[str]:
    """Return the tests that opened the databases which a text reports as unclosed."""
    return [_opened.get(int(address, 16), "not known") for address in UNCLOSED.findall(text)]


def pytest_configure() -> None:
    """Install the replacement."""
    sqlite3.connect = sqlite3.dbapi2.connect = connected  # type: ignore[assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Add to a report the test that opened the database."""
    report: pytest.TestReport = yield  # type: ignore[misc]
    if report.failed and (found := openers(report.longreprtext)):
        report.longrepr.addsection("opened by", "\n".join(found))  # type: ignore[union-attr]
    return report  # type: ignore[return-value]
