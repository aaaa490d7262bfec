"""The reference page of metrics says what the table says."""

from pathlib import Path

from server.ops.metrics.metrics_reference import markdown

PAGE = Path(__file__).resolve().parents[4] / "docs" / "metrics.md"


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text() == markdown(), (
        "make it anew: python -m server.ops.metrics.metrics_reference > docs/metrics.md"
    )
