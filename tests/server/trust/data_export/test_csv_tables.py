"""Test that no spreadsheet runs a cell as a formula."""

import csv
import io

import pytest

from server.trust.data_export.csv_tables import as_csv, cell

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\uff1d1", "\x00=1")


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_what_looks_like_a_formula_is_defused(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "hello", "1+1", "a=b", "Grüße"])
def test_what_does_not_is_left_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_a_table_is_read_back_whole_whatever_stands_in_its_cells() -> None:
    rows: list[dict[str, str | int | None]] = [{"a": 'one "two", three\nfour', "b": 5}, {"a": None, "b": 0}]
    body = as_csv(("a", "b"), rows)
    assert body.startswith(b"\xef\xbb\xbf")
    found = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert found == [["a", "b"], ['one "two", three\nfour', "5"], ["", "0"]]
