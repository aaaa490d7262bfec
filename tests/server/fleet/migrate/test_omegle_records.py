"""Programs of Omegle's protocol are in the record of their sessions, and nowhere where there are none."""

from engine.engine import Parcel
from server.handover import clients


def test_without_the_adapter_nobody_is_packed() -> None:
    parcel = Parcel({"v": 1, "people": [{"id": 1}], "chats": []}, [])
    assert clients.ready(None, [1])
    clients.pack(None, parcel)
    assert parcel.record["people"] == [{"id": 1}]
    assert clients.unpack(None, parcel, []) == 0
