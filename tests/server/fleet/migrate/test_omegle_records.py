"""Programs of Omegle's protocol are in the record of their sessions, and nowhere where there are none."""

from engine.engine import SessionRecord
from server.fleet.migrate import omegle_records


def test_without_the_adapter_nobody_is_packed() -> None:
    session_record = SessionRecord({"v": 1, "people": [{"id": 1}], "chats": []}, [])
    assert omegle_records.ready(None, [1])
    omegle_records.pack(None, session_record)
    assert session_record.record["people"] == [{"id": 1}]
    assert omegle_records.unpack(None, session_record, []) == 0
