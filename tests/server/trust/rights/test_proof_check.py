"""Test written proofs, over both databases."""

from typing import Any

import pytest
from sqlalchemy import event

from server.ops.security import secret_keys
from server.trust.data_requests.identity_proof import AGENT, WHOLE, Proof
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_key import RightsKeys
from server.trust.rights.proof_check import ProofChecks
from tests.server.data.conftest import NOW, Kit, people, transcript

ME, OTHER = 11, 22


@pytest.fixture
def sealed(kit: Kit) -> RightsKeys:
    return RightsKeys(secret_keys.load(kit.data))


async def test_older_keys_and_codes_open_nothing_once_they_are_revoked(kit: Kit, sealed: RightsKeys) -> None:
    proving = ProofChecks(kit.database, kit.pseudonyms, sealed)
    old, code = sealed.key(ME, NOW * 1000), sealed.code(ME, NOW * 1000, AGENT)
    others = sealed.key(OTHER, NOW * 1000)
    assert await proving.prove(f" {old}\n", NOW) == Proof(ME, 3, WHOLE)
    await proving.revoke(ME, NOW * 1000 + 1)
    new = sealed.key(ME, NOW * 1000 + 1)
    assert await proving.prove(old, NOW) is None
    assert await proving.prove(code, NOW) is None
    assert await proving.prove(new, NOW) == Proof(ME, 3, WHOLE)
    assert await proving.prove(others, NOW) == Proof(OTHER, 3, WHOLE)
    await proving.revoke(ME, NOW * 1000 + 2)
    assert await proving.prove(new, NOW) is None
    assert await kit.count("rights_key") == 1


async def test_a_code_knows_the_request_that_it_was_used_for(kit: Kit, sealed: RightsKeys) -> None:
    proving, requests = ProofChecks(kit.database, kit.pseudonyms, sealed), Requests(kit.database, kit.pseudonyms)
    code = sealed.code(ME, NOW * 1000, AGENT)
    fresh = await proving.prove(code, NOW)
    assert fresh is not None
    assert fresh.code
    assert not fresh.number
    number = await requests.answered(NewRequest("know", "agent", 3, ME, code=fresh.code), NOW)
    used = await proving.prove(code, NOW)
    assert used is not None
    assert used.number == number


async def test_the_delete_address_of_a_log_is_level_two(kit: Kit, sealed: RightsKeys) -> None:
    proving = ProofChecks(kit.database, kit.pseudonyms, sealed)
    saved = await kit.logs.save(transcript(), people())
    for text in (saved.delete, f"https://chat.example/log/delete/{saved.delete}"):
        assert await proving.prove(text, NOW) == Proof(0, 2, frozenset())
    assert await proving.prove(saved.log, NOW) is None


async def test_every_proof_costs_the_same_look_ups(kit: Kit, sealed: RightsKeys) -> None:
    proving = ProofChecks(kit.database, kit.pseudonyms, sealed)
    revoked = sealed.key(OTHER, NOW * 1000)
    await proving.revoke(OTHER, NOW * 1000 + 1)
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(kit.database.engine.sync_engine, "before_cursor_execute", note)
    work = []
    good = sealed.key(ME, NOW * 1000)
    for text in (good, revoked, good[:-3] + "AAA", "sr1.x", "", "x" * 300, sealed.code(ME, 0, AGENT)):
        seen.clear()
        await proving.prove(text, NOW)
        work.append(list(seen))
    assert all(one == work[0] for one in work)
    assert len(work[0]) >= 3
