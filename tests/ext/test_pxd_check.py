"""Test that a .pxd which differs from its module is found."""

from pathlib import Path

import pytest

from engine.wire.protocol_copy_generator import ROOT
from ext import compiled_module_switch, pxd_check

SOURCE = """
from dataclasses import dataclass

@dataclass
class Row:
    a: int
    b: str

class Slotted:
    __slots__ = ("x", "y")

class Loose:
    def __init__(self, one):
        self.one = one
        self.two = self.one

    def method(self, a, b=1):
        return a

def function(a, *, only=1):
    b = a
    return b
"""
SAID = """
from engine.core.chat cimport Seat

cdef class Row:
    cdef public int a
    cdef public str b

cdef class Slotted:
    cdef object y, x

cdef class Loose:
    cdef readonly dict one
    cdef double two
    cpdef Seat method(self, Seat a, int b=*)

@cython.locals(b=bytes)
cpdef bytes function(a)
"""


def said(tmp_path: Path, was: str = "", by: str = "") -> list[str]:
    """The differences, one part of the declarations changed."""
    assert was in SAID
    (tmp_path / "made.py").write_text(SOURCE)
    (tmp_path / "made.pxd").write_text(SAID.replace(was, by) if was else SAID)
    return [line.partition(": ")[2] for line in pxd_check.differences(tmp_path / "made.pxd")]


def test_what_agrees_is_no_difference(tmp_path: Path) -> None:
    assert said(tmp_path) == []


@pytest.mark.parametrize(
    ("was", "by", "found"),
    [
        (
            "    cdef public int a\n    cdef public str b\n",
            "    cdef public str b\n    cdef public int a\n",
            "Row has the fields a, b",
        ),
        ("    cdef object y, x\n", "    cdef object y\n", "Slotted has the fields x, y"),
        ("    cdef double two\n", "", "Loose has the fields one, two"),
        ("    cdef double two\n", "    cdef double two, three\n", "declared: one, two, three"),
        ("cdef class Slotted:", "cdef class Gone:", "class Gone is not in the module"),
        ("method(self, Seat a, int b=*)", "method(self, Seat a, int b)", "Loose.method takes"),
        ("method(self, Seat a, int b=*)", "method(self, Seat b, int a=*)", "Loose.method takes"),
        ("bytes function(a)", "bytes other(a)", "other is not in the module"),
        ("locals(b=bytes)", "locals(b=bytes, c=int)", "function has no c"),
    ],
)
def test_each_kind_of_difference_is_told(tmp_path: Path, was: str, by: str, found: str) -> None:
    [line] = said(tmp_path, was, by)
    assert found in line


def test_what_is_not_understood_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SyntaxError, match="ctypedef"):
        said(tmp_path, "cpdef bytes function(a)", "ctypedef int number")


def test_the_house_has_none() -> None:
    found = [path for folder in compiled_module_switch.FOLDERS for path in sorted((ROOT / folder).rglob("*.pxd"))]
    assert len(found) > 15
    assert [line for path in found for line in pxd_check.differences(path)] == []
