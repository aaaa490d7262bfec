"""Where nobody is there to answer, everybody may come in and nobody has anything to read."""

from server.realtime.worker.null_services import never_given, nobody_banned, nothing_said, nothing_unseen


def test_everybody_may_come_in_and_has_nothing_to_read() -> None:
    assert nobody_banned(5, "192.0.2.1") is None  # type: ignore[func-returns-value]
    assert nothing_unseen(5, 6) is None  # type: ignore[func-returns-value]
    assert nothing_said() is None
    assert not never_given(5, 6, "7")
