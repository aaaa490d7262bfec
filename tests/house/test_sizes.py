"""Check that functions and files stay small: 60 lines and 25 branches a function (C and Cython: 70 lines), 600 lines a file."""

from pathlib import Path

import pytest

from tests.house.sources import ROOT, Function, functions, shown, tracked

FUNCTION_LINES = 60
C_LINES = 70
BRANCHES = 25
FILE_LINES = 600
# Longer functions, with the reason. This list only shrinks: an unnecessary entry fails.
LONGER_FUNCTIONS = {
    "server/data/database/migrations/versions/a001_first.py:upgrade": "a migration is one list of statements, never edited again",
}
LONGER_FILES: dict[str, str] = {}
CODE = ("ext/*", "engine/*.py", "server/*.py", "client/*.py", "bench/*", "grafana/*.py", "tests/*.py", "setup.py")


def sources() -> list[Path]:
    """Return the project's code; `peers` is code in the style of other projects."""
    return [
        source
        for source in tracked(*CODE)
        if source.suffix in (".py", ".pyx", ".h", ".c") and "peers" not in source.parts
    ]


def too_long(function: Function) -> bool:
    """Whether a function exceeds its limits."""
    limit = FUNCTION_LINES if function.file.endswith(".py") else C_LINES
    return function.lines > limit or function.branches > BRANCHES


def test_every_function_is_small() -> None:
    long = {
        f"{function.file}:{function.name}": f"{function.lines} lines, {function.branches} branches"
        for source in sources()
        for function in functions(source)
        if too_long(function)
    }
    assert {name: size for name, size in long.items() if name not in LONGER_FUNCTIONS} == {}
    assert set(LONGER_FUNCTIONS) <= set(long), "these are short enough by now: take them from the list"


def test_every_file_is_small() -> None:
    long = {shown(source): lines for source in sources() if (lines := source.read_text().count("\n")) > FILE_LINES}
    assert {name: lines for name, lines in long.items() if name not in LONGER_FILES} == {}
    assert set(LONGER_FILES) <= set(long), "these are short enough by now: take them from the list"


def test_no_more_than_six_files_stand_at_the_top_of_the_server() -> None:
    top = [source.name for source in tracked("server/*.py") if source.parent == ROOT / "server"]
    assert len(top) <= 6, top


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", "class A:\n    def f(self):\n        if x and y:\n            return 1\n\n\nz = 1\n", [("f", 3, 2)]),
        (
            "a.pyx",
            "cdef int f(int a) noexcept nogil:\n    if a:\n        return 1\n\n    return 2\n\n\nx = 1\n",
            [("f", 5, 1)],
        ),
        ("a.pyx", "def g(\n    a,\n):\n    return a\n\n\ncdef enum:\n    A = 1\n", [("g", 4, 0)]),
        (
            "a.h",
            "static int f(int a) {\n    return a;\n}\nstatic int g(void) { return 1; }\n",
            [("f", 3, 0), ("g", 1, 0)],
        ),
        ("a.h", "static int F(f)(mx *m,\n               int b) {\n    return 1;\n}\n", [("F(f)", 4, 0)]),
        ("a.h", "typedef struct {\n    int a;\n} b;\nint c(int);\n", []),
        ("a.pyx", "cdef class A(B):\n    def f(self):\n        return 1\n", [("f", 2, 0)]),
    ],
)
def test_functions_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: list[tuple[str, int, int]]
) -> None:
    monkeypatch.setattr("tests.house.sources.ROOT", tmp_path)
    source = tmp_path / name
    source.write_text(text)
    assert [(found.name, found.lines, found.branches) for found in functions(source)] == expected
