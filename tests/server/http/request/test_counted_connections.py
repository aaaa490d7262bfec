"""The path by which a connection is counted, and the place of those that are not."""

from server.http.request.counted_connections import PASSED, request_path


def test_the_path_of_a_head_is_read_without_its_query() -> None:
    assert request_path(b"POST /events?id=1 HTTP/1.1\r\n") == b"/events"
    assert request_path(b"POST /events HTTP/1.1\r\n") == b"/events"
    assert request_path(b"nothing") == request_path(b"") == b""


def test_connections_of_other_hosts_are_no_addresses() -> None:
    for now in range(1_000):
        PASSED.addresses.moved(PASSED.key, float(now))
    for now in range(1_000):
        PASSED.addresses.leave(PASSED.key, float(now))
    assert len(PASSED.addresses) <= 1
