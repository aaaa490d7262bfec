"""What `serendip db` says."""

from server.data.backup.non_restorable_state import LOGS, PARTS
from server.main.commands.database_commands import KINDS


def test_all_that_a_restore_keeps_has_a_name() -> None:
    assert set(KINDS) == {part.name for part in PARTS} | {LOGS}
