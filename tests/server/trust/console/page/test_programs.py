"""Test in Chromium that a moderator makes a token with the passkey, and that a program reads by it from the running server until it is revoked."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.server.site.web.conftest import Opener, Watch
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter

pytestmark = pytest.mark.timeout(180)


def listed(operated: Operated, token: str) -> dict[str, object]:
    """Ask for the cases as a program does."""
    request = Request(f"{operated.origin}/api/moderation/cases", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urlopen(request, timeout=20) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
    return found


def test_a_token_that_the_passkey_made_reads_cases_until_it_is_revoked(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    page = enter(window, operated, "ada", "moderator")
    page.get_by_role("link", name="API tokens").click()
    page.fill("#name", "dashboard")
    page.get_by_label("hear of new cases").check()
    operated.forget_passkeys()
    page.get_by_role("button", name="Make the token").click()
    page.wait_for_selector("form[data-passkey] button:enabled")
    page.keyboard.press("Enter")
    token = page.locator("#made").inner_text()
    well(page)
    assert listed(operated, token)["cases"] == []
    page.get_by_role("button", name="Revoke").click()
    page.wait_for_url("**/tokens")
    with pytest.raises(HTTPError) as refused:
        listed(operated, token)
    refused.value.close()
    assert refused.value.code == 401
