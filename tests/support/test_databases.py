"""Test that an unclosed database is reported with the test that opened it."""

import pytest


def test_the_test_that_opened_it_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sqlite3

        kept = []

        def test_that_opens():
            kept.append(sqlite3.connect(":memory:"))

        def test_that_finds_it():  # as Python says it, from 3.13 on
            kept[0].close()
            raise ResourceWarning(f"unclosed database in {kept[0]!r}")
        """
    )
    found = pytester.runpytest("-p", "tests.support.databases", "-p", "no:asyncio")
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*opened by*", "*::test_that_opens*"])
