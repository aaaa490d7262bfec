"""The files of the manual are where the program looks, in a checkout as in a wheel."""

from server.ops.manual.manual_files import PATTERNS, alert_rules, tree


def test_each_pattern_finds_files_here() -> None:
    for pattern in PATTERNS:
        assert [found for found in tree().glob(pattern) if found.is_file()], pattern


def test_the_rules_are_read() -> None:
    assert "SerendipHeartbeat" in alert_rules()
