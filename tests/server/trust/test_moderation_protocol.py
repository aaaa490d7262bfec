"""Test that the service has its port's methods, and that the port needs no database library."""

import inspect
import subprocess
import sys

import pytest

from server.trust import moderation_protocol
from server.trust.cases import user_appeals
from server.trust.moderation import service


@pytest.mark.parametrize(
    ("asked", "offered"),
    [(moderation_protocol.Safety, service.Safety), (moderation_protocol.Appeals, user_appeals.Appeals)],
)
def test_what_is_asked_is_offered_with_the_same_parameters(asked: type, offered: type) -> None:
    names = [name for name in vars(asked) if not name.startswith("_")]
    assert names
    for name in names:
        theirs = inspect.getattr_static(offered, name)
        if inspect.isfunction(theirs):
            assert list(inspect.signature(theirs).parameters) == list(
                inspect.signature(getattr(asked, name)).parameters
            )


def test_asking_loads_no_database() -> None:
    code = "import sys, server.trust.moderation_protocol; print(*sorted({'sqlalchemy', 'alembic', 'obstore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
