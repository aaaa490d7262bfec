"""Test that a webhook reaches no private address unless it may, and that no redirect is followed."""

from __future__ import annotations

import socket

import pytest

from server.trust.rights import recipient_webhook
from server.trust.rights.recipient_webhook import Outcome
from tests.server.data.conftest import NOW
from tests.server.trust.rights.test_recipient_notices import Hook, hooks, settings

__all__ = ["hooks"]


async def test_no_private_address_and_no_redirect_is_followed(hooks: dict[str, Hook]) -> None:
    one = settings(hooks).recipients[0]
    for contact in (
        f"https://127.0.0.1:{hooks['down'].port}/hook",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://2130706433/",
        "https://127.1/",
    ):
        closed = one.model_copy(update={"private": False, "contact": contact})
        assert await recipient_webhook.send(closed, "1", b"{}", NOW) is Outcome.AWAY
        assert closed.obstacle(mails=False) == "its contact is in a private network, and private is not set"
    named = one.model_copy(update={"private": False, "contact": f"https://localhost:{hooks['down'].port}/hook"})
    assert await recipient_webhook.send(named, "1", b"{}", NOW) is Outcome.AWAY
    assert not hooks["down"].got
    hooks["down"].status = 307
    assert await recipient_webhook.send(one, "1", b"{}", NOW) is Outcome.REFUSED
    assert len(hooks["down"].got) == 1


async def test_an_outcome_says_whether_the_notice_may_have_reached_the_recipient(hooks: dict[str, Hook]) -> None:
    one, hook = settings(hooks).recipients[0], hooks["down"]
    for status, outcome in ((204, Outcome.TOLD), (403, Outcome.REFUSED), (503, Outcome.LOST), (0, Outcome.LOST)):
        hook.status = status
        assert await recipient_webhook.send(one, "1", b"{}", NOW) is outcome
    await hook.stop()
    assert await recipient_webhook.send(one, "1", b"{}", NOW) is Outcome.AWAY


async def test_a_server_that_never_finishes_the_connection_got_no_byte(
    hooks: dict[str, Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipient_webhook, "CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        contact = f"https://127.0.0.1:{silent.getsockname()[1]}/hook"
        one = settings(hooks).recipients[0].model_copy(update={"contact": contact})
        assert await recipient_webhook.send(one, "1", b"{}", NOW) is Outcome.AWAY
