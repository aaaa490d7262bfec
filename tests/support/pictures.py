"""Pictures of what a test shows, for a person who looks at them after a change.

Rule: no test looks at one, so they are taken where they are wanted alone (`make pictures`) and of what failed: to draw and pack a thousand takes
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
    """What a window shows now, or its page as a `whole`, as tests/out/`name`.png."""
    if wanted:
        page.screenshot(path=OUT / f"{name}.png", full_page=whole)


def paper(page: Page, name: str) -> None:
    """What a window prints, as tests/out/`name`.pdf."""
    if WANTED:
        page.pdf(path=OUT / f"{name}.pdf")


def failed(test: pytest.Item, contexts: Iterable[BrowserContext]) -> None:
    """All windows that a test which failed has left open, as tests/out/failed/."""
    for at, page in enumerate(page for context in contexts for page in context.pages):
        with suppress(Error):  # it was closed meanwhile, or hangs
            picture(page, f"failed/{test.name.replace('/', '-')[:100]}-{at}", wanted=True)
