"""The manual in Chromium: an alert's entry is found by its search, and no page of it is too wide or wrong for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, Watch
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter

pytestmark = pytest.mark.timeout(180)


def test_an_operator_finds_the_entry_of_an_alert_by_a_symptom(window: Opener, operated: Operated, quiet: Watch) -> None:
    ada = enter(window, operated, "hela", "moderator")
    ada.get_by_role("link", name="Help", exact=True).click()
    well(ada)
    ada.get_by_label("Alert, page or words").fill("disk full")
    ada.get_by_role("button", name="Find").click()
    well(ada)
    ada.get_by_role("link", name="SerendipDiskFull").click()
    expect(ada.locator("#serendipdiskfull")).to_be_in_viewport()
    for topic in ("SerendipDown", "metrics", "deploy"):
        ada.goto(f"{operated.origin}/help/{topic}")
        well(ada)
