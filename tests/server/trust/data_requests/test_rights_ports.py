"""Test that the service has its port's methods, and that the port needs no database library."""

import inspect
import subprocess
import sys

import pytest

from server.trust.data_requests import rights_ports
from server.trust.rights import deletion, service


@pytest.mark.parametrize(
    ("asked", "offered"), [(rights_ports.Rights, service.Rights), (rights_ports.Deletions, deletion.Deletion)]
)
def test_what_is_asked_is_offered_with_the_same_parameters(asked: type, offered: type) -> None:
    names = [name for name in vars(asked) if not name.startswith("_")]
    assert names
    for name in names:
        theirs = getattr(offered, name, None)
        if inspect.isfunction(theirs):
            assert list(inspect.signature(theirs).parameters) == list(
                inspect.signature(getattr(asked, name)).parameters
            )


def test_the_pages_load_no_database() -> None:
    code = "import sys, server.main.app; print(*sorted({'sqlalchemy', 'alembic', 'obstore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
