"""Test `/api/rights`, for programs and agents, on a real server."""

from __future__ import annotations

import json

import pytest

from server.http.words.sentence_formatter import said
from tests.server.site.web.servers import Server
from tests.server.trust.rights.visitor import Visitor

EN = said()["en"]


@pytest.mark.parametrize("kind", ["know", "delete", "export"])
async def test_an_agent_asks_once_by_a_program_and_reads_that_request_alone(server: Server, kind: str) -> None:
    async with Visitor(server) as me, Visitor(server, cookie="") as agent:
        scope = {"delete": "1"} if kind == "delete" else {"know": "1"}
        (code,) = (await me.send("agent", **scope)).once
        assert (await agent.api(code, kind="delete" if "know" in scope else "know")).status == 403
        done = await agent.api(code, kind=kind)
        assert done.status == 200
        if kind == "export":
            assert done.headers["Content-Type"] == "application/zip"
            return
        status = json.loads(done.body)
        assert status["status"] == {"know": "fulfilled", "delete": "open"}[kind]
        assert status["kind"] == kind
        assert (status.get("know") is not None) == (kind == "know")
        again = await agent.api(code, number=status["request_id"])
        assert json.loads(again.body)["status"] == status["status"]
        second, unknown = await agent.api(code, kind=kind), await agent.api("", kind=kind)
        assert second.status == unknown.status == 403
        assert second.body == unknown.body
        assert (await agent.api(code, number="0000000000000")).body == unknown.body


async def test_a_program_with_the_rights_key_asks_and_reads(server: Server) -> None:
    async with Visitor(server) as me, Visitor(server, cookie="") as program:
        (key,) = (await me.send("key")).once
        deleting = json.loads((await program.api(key, kind="delete", logs=False)).body)
        assert json.loads((await program.api(key, kind="delete")).body)["request_id"] == deleting["request_id"]
        assert json.loads((await program.api(key, number=deleting["request_id"])).body)["status"] == "open"
        assert (await program.api(key, kind="sell")).status == 400
        assert (await program.api(key, kind="delete", records=False, logs=False)).status == 400
        assert (await me.api("", kind="know")).status == 403, "no cookie proves anything here"
