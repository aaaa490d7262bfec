"""What `serendip db` says."""

from server.commands.db import KINDS
from server.store.held_since import LOGS
from server.store.upkeep import PARTS


def test_all_that_a_restore_keeps_has_a_name() -> None:
    assert set(KINDS) == {part.name for part in PARTS} | {LOGS}
