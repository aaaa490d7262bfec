"""Run the two browser windows of the canary test, and collect what they did, stored and received. Each place is a sink of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator

from tests.server.data.privacy.drive import Person, Sinks
from tests.server.site.college.conftest import Box, code_of
from tests.server.site.web.servers import ROOT


async def windows(port: int, one: Person, two: Person, box: Box, sinks: Sinks) -> None:
    """A chat in two windows; what they kept and were sent goes to the sinks."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.data.privacy.windows", str(port), cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    wanted = [
        {
            "source": who.address,
            "shared": one.mark("shared"),
            "private": who.mark("private"),
            "talk": who.mark("talk"),
            "address": f"{who.mark('mail')}@{who.domain}",
        }
        for who in (one, two)
    ]
    told: list[dict[str, dict[str, str]]] = []
    program.stdin.write(json.dumps(wanted).encode() + b"\n")
    while not told and (line := await program.stdout.readline()):
        said = json.loads(line)
        if "mail" in said:
            code = code_of(await asyncio.to_thread(box.of, said["mail"]))
            program.stdin.write(json.dumps({"code": code}).encode() + b"\n")
        told = said.get("windows", [])
    program.stdin.close()
    assert await program.wait() == 0
    for who, kept in zip((one, two), told, strict=True):
        for place, body in seen_in(who, kept):
            sinks.put(place, body)


def seen_in(who: Person, kept: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    """(place, body) of all that a window kept; learns the person's cookie, token, proof and pair from it."""
    who.cookie = kept["cookies"]["id"]
    who.token = json.loads(kept["session"]["serendip.way"])["token"]
    choices = json.loads(kept["local"]["serendip"])
    who.pair = choices["pairs"][0].partition(" ")[0]
    who.proof = json.loads(kept["local"].get("serendip.college", "{}")).get("proof", "")
    for name, value in kept["cookies"].items():
        yield ("cookie" if name in {"id", "__Host-id"} else f"cookie {name}"), value
    for key, value in {**kept["local"], **kept["session"]}.items():
        if key != "serendip":
            yield f"browser {key}", value
    for name, choice in choices.items():
        yield f"browser serendip/{name}", json.dumps(choice)
    for place in ("frames", "seen"):
        yield f"user:{who.name}", json.dumps(kept[place])
    yield "browser cache", json.dumps(kept["cached"])
    yield "browser databases", json.dumps(kept["databases"])
