"""The registry's versions are readable as they were."""

from __future__ import annotations

from server.privacy import past
from server.privacy.statement import history


def test_every_version_of_the_history_can_be_read_whole() -> None:
    for version in history():
        found = past.document(str(version.number))
        assert found is not None
        assert len(found["items"]) + len(found["texts"]) == len(version.items)
        for item in found["items"]:
            assert item["what"]
            assert item["kept"]
            assert not item["kept"].startswith(("Days(", "While(", "Forever("))


def test_there_is_no_other_and_the_newest_stands_first() -> None:
    assert past.document("0") is None
    assert past.document("1.1") is None
    assert [row["version"] for row in past.versions()] == sorted((v.number for v in history()), reverse=True)
