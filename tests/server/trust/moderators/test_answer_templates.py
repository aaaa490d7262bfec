"""Test saved answers: one's own, and those in every language."""

from __future__ import annotations

import pytest

from server.http.words.sentence_formatter import said
from server.trust.moderators.answer_templates import OWN_MOST, SHIPPED, AnswerTemplates
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.sanctions.sanction_scale import WORDS, Refused
from tests.server.data.conftest import Kit


async def test_shipped_answers_fit_a_decision_in_every_language(kit: Kit) -> None:
    found = await AnswerTemplates(kit.database).answers("ada", said(), "de")
    assert [one.id for one in found] == list(SHIPPED)
    for one in found:
        assert set(one.texts) == set(said())
        assert all(0 < len(text) <= WORDS for text in one.texts.values())
        assert len(set(one.texts.values())) == len(one.texts), "each language has its own words"


async def test_own_answers_come_first_are_ones_own_and_leave_with_the_account(kit: Kit) -> None:
    answers, accounts = AnswerTemplates(kit.database), Accounts(kit.database, kit.pseudonyms)
    await accounts.invite("ada", ["moderator"], "test")
    await answers.save("ada", " links ", "Please no  links.", "en")
    (mine, *_) = await answers.answers("ada", said(), "en")
    assert (mine.title, dict(mine.texts), mine.own) == ("links", {"en": "Please no links."}, True)
    assert not any(one.own for one in await answers.answers("bob", said(), "en"))
    await answers.remove("bob", mine.id)
    await answers.remove("ada", "zz")
    assert (await answers.answers("ada", said(), "en"))[0].own
    await accounts.close("ada", "test")
    assert not any(one.own for one in await answers.answers("ada", said(), "en"))


async def test_answers_are_bounded(kit: Kit) -> None:
    answers = AnswerTemplates(kit.database)
    with pytest.raises(Refused):
        await answers.save("ada", "x", "x", "en")  # no account
    await Accounts(kit.database, kit.pseudonyms).invite("ada", ["moderator"], "test")
    for title, text in (("", "x"), ("x", ""), ("x" * 61, "x"), ("x", "x" * (WORDS + 1))):
        with pytest.raises(Refused):
            await answers.save("ada", title, text, "en")
    for number in range(OWN_MOST):
        await answers.save("ada", str(number), "x", "en")
    with pytest.raises(Refused):
        await answers.save("ada", "more", "x", "en")
