"""Which tables a restore must not set back: every one that is not the records of chats, logs and keys."""

from server.data.backup.non_restorable_state import COPIED, PARTS, merge_rows
from server.data.schema.record_schema import metadata

FROM_THE_BACKUP = {"chat", "party", "log_party", "doomed", "fingerprint"}


def test_every_table_is_the_backup_s_or_today_s() -> None:
    names = {part.name for part in PARTS}
    assert names | FROM_THE_BACKUP == set(metadata.tables)
    assert not names & FROM_THE_BACKUP
    assert {"hold", "hold_match", "held_chat", "held_party", "audit", "log", "ban"} <= {part.name for part in COPIED}


def test_of_two_rows_with_the_same_keys_the_first_stays() -> None:
    kept = [{"chat": b"1", "side": 0, "address": b"kept"}]
    more = [{"chat": b"1", "side": 0, "address": b"new"}, {"chat": b"1", "side": 1, "address": b"other"}]
    assert merge_rows(kept, more, "chat", "side") == [*kept, more[1]]
