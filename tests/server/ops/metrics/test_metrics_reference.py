"""The reference page of metrics says what the table says."""

from pathlib import Path

from server.metrics.reference import markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text() == markdown(), "make it anew: python -m server.metrics.reference > docs/metrics.md"
