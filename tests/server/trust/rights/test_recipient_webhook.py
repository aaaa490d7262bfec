"""Test that a webhook reaches no private address unless it may, and that no redirect is followed."""

from __future__ import annotations

from server.trust.rights import recipient_webhook
from server.trust.rights.recipient_webhook import Outcome
from tests.server.data.conftest import NOW
from tests.server.trust.rights.test_recipient_notices import Hook, hooks, settings

__all__ = ["hooks"]


async def test_no_private_address_and_no_redirect_is_followed(hooks: dict[str, Hook]) -> None:
    one = settings(hooks).recipients[0]
    for contact in (f"https://127.0.0.1:{hooks['down'].port}/hook", "https://[::1]/", "https://10.0.0.1/"):
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
