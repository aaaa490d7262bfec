"""Which tables a restore must not set back: every one that is not the records of chats, logs and keys."""

from server.data.backup.non_restorable_state import COPIED, PARTS
from server.data.schema.chat_schema import metadata

FROM_THE_BACKUP = {"chat", "party", "log_party", "doomed", "fingerprint"}


def test_every_table_is_the_backup_s_or_today_s() -> None:
    names = {part.name for part in PARTS}
    assert names | FROM_THE_BACKUP == set(metadata.tables)
    assert not names & FROM_THE_BACKUP
    assert {"hold", "hold_match", "held_chat", "held_party", "audit", "log", "ban"} <= {part.name for part in COPIED}
