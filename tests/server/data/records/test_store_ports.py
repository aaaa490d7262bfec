"""The store offers what the rest of the server asks of it, and asking needs no database library."""

import inspect
import subprocess
import sys

import pytest

from server.data.chat_logs import saved_logs
from server.data.records import store_ports
from server.data.store import store_runner


@pytest.mark.parametrize(
    ("asked", "offered"), [(store_ports.Store, store_runner.Store), (store_ports.Logs, saved_logs.SavedLogs)]
)
def test_what_is_asked_is_offered_with_the_same_parameters(asked: type, offered: type) -> None:
    # what is a property there may be set in a constructor: mypy knows it
    names = [name for name, one in vars(asked).items() if not name.startswith("_") and not isinstance(one, property)]
    assert names
    for name in names:
        theirs = inspect.getattr_static(offered, name)
        if inspect.isfunction(theirs):
            assert list(inspect.signature(theirs).parameters) == list(
                inspect.signature(getattr(asked, name)).parameters
            )


def test_asking_loads_no_database() -> None:
    code = "import sys, server.data.records.store_ports; print(*sorted({'sqlalchemy', 'alembic', 'obstore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
