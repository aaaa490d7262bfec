"""Save pictures of what a test shows, for review after a change.

**Invariant:** no test reads them, so they are taken on request only (`make pictures`) and of failures: drawing and packing a thousand takes
some thirty seconds of a core.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page

OUT = Path(__file__).parents[1] / "out"
WANTED = "PICTURES" in os.environ


def picture(page: Page, name: str, *, whole: bool = False, wanted: bool = WANTED) -> None:
    """Save a window's content, or its page as a `whole`, as tests/out/`name`.png."""
    if wanted:
        page.screenshot(path=OUT / f"{name}.png", full_page=whole)


def paper(page: Page, name: str) -> None:
    """Save a window's print as tests/out/`name`.pdf."""
    if WANTED:
        page.pdf(path=OUT / f"{name}.pdf")


def failed(test: pytest.Item, contexts: Iterable[BrowserContext]) -> None:
    """Save all windows that a failed test has left open in tests/out/failed/."""
    for at, page in enumerate(page for context in contexts for page in context.pages):
        with suppress(Error):  # it was closed meanwhile, or hangs
            picture(page, f"failed/{test.name.replace('/', '-')[:100]}-{at}", wanted=True)
