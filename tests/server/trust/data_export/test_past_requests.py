"""Test that a person's earlier requests are in their own export, and in no other."""

from __future__ import annotations

from sqlalchemy import insert

from server.data.schema.deletion_schema import deletion, erased
from server.trust.data_export.person_row_keys import person
from server.trust.data_requests.request_states import FULFILLED
from server.trust.data_requests.request_store import NewRequest, Requests
from tests.server.data.conftest import NOW, Kit, people, transcript
from tests.server.trust.rights.people import A, B, chat, known, wrote


async def test_requests_are_told_with_their_words_and_their_answer(kit: Kit) -> None:
    table = Requests(kit.database, kit.pseudonyms)
    mine = await table.open(NewRequest("other", "page", 3, A, text="my question", contact="me@example.org"), NOW)
    await table.open(NewRequest("other", "page", 3, B, text="their question"), NOW)
    told = (await known(kit).know(A, NOW))["parts"]["requests"]
    assert [(row["number"], row["text"], row["contact"]) for row in told] == [(mine, "my question", "me@example.org")]
    await table.move(mine, FULFILLED, NOW + 60, answer="our answer")
    (row,) = (await known(kit).know(A, NOW + 60))["parts"]["requests"]
    assert (row["answer"], row["text"], row["goes"]) == ("our answer", None, "2028-11-17")


async def test_the_day_before_which_keys_are_invalid_is_told(kit: Kit) -> None:
    await wrote(kit)
    assert (await known(kit).know(A, NOW))["parts"]["rights_keys"] == [{"invalid_before": "2026-11-18T11:06:40Z"}]


async def test_whom_a_deletion_was_passed_on_to_is_told_to_its_person(kit: Kit) -> None:
    await wrote(kit)
    for who in (A, B):
        parts = (await known(kit).know(who, NOW))["parts"]
        (row,), (gone,) = parts["deletion_notices"], parts["deletions"]
        assert (row["recipient"], row["state"], row["request"]) == ("Hosting Ltd", "told", gone["number"])


async def test_a_deletion_is_told_while_what_it_hides_is_not(kit: Kit) -> None:
    await kit.write(chat(1), chat(2))
    await kit.logs.save(transcript("hello"), people(A, B))
    before = (await known(kit).know(A, NOW))["counts"]
    assert (before["chats"], before["saved_logs"], before["deletions"]) == (2, 1, 0)
    ident = "1" * 13
    row = {
        "number": ident, "who": kit.pseudonyms.deletion_subject(A), "kind": "delete", "records": True, "logs": True, "asked": NOW,
        "due": NOW + 72 * 3600, "done": None, "statement": "2",
    }  # fmt: skip
    values = person(kit.pseudonyms, A).values
    async with kit.database.write() as connection:
        await connection.execute(insert(deletion).values(row))
        await connection.execute(insert(erased), [{"value": value, "number": ident, "before": NOW} for value in values])
    know = await known(kit).know(A, NOW)
    assert (know["counts"]["chats"], know["counts"]["saved_logs"]) == (0, 0)
    assert [(row["what"], row["done"]) for row in know["parts"]["deletions"]] == [("records, logs", None)]
    assert (await known(kit).know(B, NOW))["counts"]["chats"] == 2
