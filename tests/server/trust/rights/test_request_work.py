"""Test that each act on a request has its lines in the audit log, with the person before anything is shown."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.schema.record_schema import audit
from server.ops.config.settings import Settings
from server.trust.data_requests.request_states import FULFILLED
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_ports import NoSuchRequest
from server.trust.rights.request_work import RequestWork
from tests.server.data.conftest import NOW, Kit

ME = 11


async def test_a_look_and_an_answer_name_the_person_before_and_the_request_after(kit: Kit) -> None:
    work = RequestWork(kit.database, kit.pseudonyms, Settings())
    number = await Requests(kit.database, kit.pseudonyms).open(NewRequest("object", "page", 3, ME, text="why"), NOW)
    assert [one.number for one in await work.listed("ada")] == [number]
    assert (await work.show("ada", number, "my turn")).text == "why"
    assert (await work.close("ada", number, "done", FULFILLED, NOW, words="here")).standing.state == FULFILLED
    with pytest.raises(NoSuchRequest):
        await work.show("ada", "0" * 13, "a guess")
    me = kit.pseudonyms.audit_subject(kit.pseudonyms.request_identity(ME))
    async with kit.database.read() as connection:
        lines = [
            (row.action, row.subject, row.outcome)
            for row in (await connection.execute(select(audit).order_by(audit.c.id))).all()
        ]
    assert lines == [
        ("request list", None, "asked"), ("request list", None, "1 listed"),
        ("request show", None, "asked"), ("request show", me, "about"), ("request show", None, number),
        ("request fulfilled", None, "asked"), ("request fulfilled", me, "about"), ("request fulfilled", None, number),
        ("request show", None, "asked"), ("request show", None, "failed: NoSuchRequest"),
    ]  # fmt: skip
