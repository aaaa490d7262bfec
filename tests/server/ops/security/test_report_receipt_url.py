"""A receipt's address."""

from server.ops.security.report_receipt_url import PATH, draw, secret


def test_what_is_drawn_is_read_again_from_its_path_and_its_last_part() -> None:
    path = draw()
    assert len(secret(path) or b"") == 16
    assert secret(path) == secret(path.removeprefix(PATH))
    assert draw() != path


def test_anything_else_is_none() -> None:
    for text in ("", "/report/", "é" * 22, "a" * 21, "a" * 23, "=" * 22, "../../etc/passwd"):
        assert secret(text) is None
