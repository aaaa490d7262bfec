"""Figures go between the marks of a document, and nowhere else."""

from pathlib import Path

from bench.support.documents import fill, short, table


def test_a_document_s_figures_stand_between_its_marks_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measure -->\nafter\n")
    fill(page, "measure", "one\n")
    fill(page, "measure", table(("server", "cost"), [("floor", "2")]))
    assert page.read_text() == (
        "before\n<!-- measure -->\n| server | cost |\n| --- | --- |\n| floor | 2 |\n<!-- /measure -->\nafter\n"
    )


def test_a_figure_has_three_digits_that_count() -> None:
    assert [short(value) for value in (12_345.6, 1.2345, -0.1)] == ["12,346", "1.23", "0"]
