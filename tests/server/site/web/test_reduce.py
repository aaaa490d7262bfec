"""The page's `reduce`, by tables of events (reduce*.mjs): run in the browser, since that is where it runs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.server.site.web.conftest import HERE, Site

TABLES = sorted(path.name for path in HERE.glob("reduce*.mjs"))
CASES = [
    case for name in TABLES for case in re.findall(r'^  "([^"]+)": (?:async )?\(\) =>', (HERE / name).read_text(), re.M)
]


@pytest.fixture(scope="module")
def table(browser: Browser, site: Site) -> Iterator[Page]:
    """A window with the cases loaded."""
    page = browser.new_page()
    page.goto(f"{site.url}/gallery")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate(
        "Promise.all(names.map((name) => import(`/t/${name}`)))".replace("names", str(TABLES))
        + ".then((tables) => { globalThis.cases = Object.assign({}, ...tables.map(({cases}) => cases)); })"
    )
    yield page
    page.close()


def test_every_case_of_the_table_is_run(table: Page) -> None:
    assert table.evaluate("Object.keys(cases)") == CASES


@pytest.mark.parametrize("sentence", CASES)
def test_that(table: Page, sentence: str) -> None:
    table.evaluate("(name) => cases[name]()", sentence)
