"""The registry's versions are readable as they were."""

from __future__ import annotations

from server.data.privacy.registry_history import history, past_statement, released


def test_every_version_of_the_history_can_be_read_whole() -> None:
    for version in history():
        found = past_statement(str(version.number))
        assert found is not None
        assert len(found["items"]) + len(found["texts"]) == len(version.items)
        for item in found["items"]:
            assert item["what"]
            assert item["kept"]
            assert not item["kept"].startswith(("Days(", "While(", "Forever("))


def test_there_is_no_other_and_the_newest_stands_first() -> None:
    assert past_statement("0") is None
    assert past_statement("1.1") is None
    assert [row["version"] for row in released()] == sorted((v.number for v in history()), reverse=True)
