"""The figures in the documents are those of the committed results: nobody typed one."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.budget import part_cost_table as budget
from bench.detection import tables as detection
from bench.load import upgrade
from bench.matching import documents as matching
from bench.server import documents as server
from bench.storage import reports
from bench.support.results import ROOT, read


def between(document: str, mark: str) -> str:
    """What stands between the marks of a document."""
    text = (ROOT / document).read_text()
    return text.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0]


@pytest.mark.parametrize(
    ("document", "mark", "results", "make"),
    [
        ("README.md", "measure", "whole", server.summary),
        ("docs/performance.md", "million", "million", server.million),
        ("docs/performance.md", "budget", "budget", budget.lines),
        ("docs/operate/scale.md", "sizing", "whole", server.sizing),
        ("docs/performance.md", "upgrade", "upgrade", upgrade.lines),
        ("docs/performance.md", "reports", "reports", reports.lines),
        ("docs/operate/detection.md", "detection", "detection", detection.lines),
        ("docs/matching.md", "scenarios", "matcher", matching.scenarios),
        ("docs/matching.md", "frontier", "quality", matching.frontier),
        ("docs/matching.md", "served", "quality", matching.served),
        ("docs/matching.md", "near", "quality", matching.near),
        ("README.md", "frontier", "quality", matching.default_in_words),
    ],
)
def test_a_table_is_what_the_results_say(
    document: str, mark: str, results: str, make: Callable[[dict[str, Any]], str]
) -> None:
    assert between(document, mark) == make(read(results))


def test_the_page_of_the_matcher_shows_the_service_beside_the_index_and_the_frontier() -> None:
    made = matching.summary(read("matcher"), read("quality"))
    assert between("docs/matching.md", "matcher") == made
    assert matching.ROOM in made
    assert matching.INDEX in made
