"""Check the threat model: each line says what stops the attack and what is accepted, and names tests that exist and run."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.house.sources import ROOT

PAGE = ROOT / "docs/operate/threats.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def lines() -> list[list[str]]:
    """Return the cells of each threat: what is wanted, what stops it, what is accepted, the tests."""
    rows = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() not in ("they want", "---")]


@cache
def functions_of(source: Path) -> frozenset[str]:
    """Return the tests of a file that are not skipped altogether."""
    functions = (
        node for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(
        node.name
        for node in functions
        if not any(ast.unparse(mark).startswith("pytest.mark.skip(") for mark in node.decorator_list)
    )


def test_each_threat_has_its_four_cells_and_a_test() -> None:
    found = lines()
    assert len(found) >= 20
    for row in found:
        assert len(row) == 4, row[0]
        assert all(row), row[0]
        assert NAMED.sub("", row[3]).strip(", ") == "", f"{row[0]}: each test as `path/test_x.py::test_y`"
        assert NAMED.search(row[3]), row[0]


def test_each_named_test_exists() -> None:
    missing = [
        f"{path}::{name}"
        for row in lines()
        for path, name in NAMED.findall(row[3])
        if not (ROOT / path).is_file() or name not in functions_of(ROOT / path)
    ]
    assert missing == []
