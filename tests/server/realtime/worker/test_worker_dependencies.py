"""A port that is not given answers as an empty service."""

from server.realtime.worker.worker_dependencies import NO_PORTS


def test_without_a_store_no_user_is_banned_or_has_a_notice_to_read() -> None:
    assert NO_PORTS.find_ban(5, "192.0.2.1") is None
    assert NO_PORTS.find_notice(5, 6) is None
    assert NO_PORTS.find_statement() is None
    assert not NO_PORTS.mark_notice_read(5, 6, "7")
    assert not NO_PORTS.is_elsewhere(7)
    assert len(NO_PORTS.find_tunnels()) == 0
