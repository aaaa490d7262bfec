"""All that the desk of college mode has goes to the process that follows: a check whose mail is given up there is forgotten there."""

import asyncio
import time
from pathlib import Path

import orjson
import pytest

from server.ops.config.settings import Mail
from server.ops.security.college_proofs import CollegeProofs
from server.ops.security.identity_cookie import Identities
from server.ops.security.secret_keys import Keys, load
from server.site.college.mail_outbox import Outbox
from server.site.college.routes import CollegeState
from tests.server.site.college.test_mail_outbox import letter


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


async def test_a_check_and_its_mail_go_together(secret: Keys) -> None:
    mail = Mail(host="127.0.0.1", port=1, security="none")
    old, new = (CollegeState(CollegeProofs(secret, 60.0), Identities(bytes(32)), mail) for _ in range(2))
    old.outbox, new.outbox = Outbox(mail, waits=(600.0, 600.0)), Outbox(mail, waits=(0.0, 0.0))
    now = time.monotonic()
    made = old.checks.begin(5, "192.0.2.1", b"digest", "uio.no", now)
    old.outbox.put(b"digest", letter("ola@uio.no"), lambda: old.checks.end(5))
    pieces = [(orjson.loads(orjson.dumps(piece)), blobs) for piece, blobs in old.pack(now)]
    assert (old.gone, len(old.checks), len(old.outbox)) == (True, 0, 0)
    for piece, blobs in pieces:
        if "letter" in piece:
            piece["letter"]["wait"] = 0.0
        new.unpack(piece, blobs, now)
    assert new.checks.confirm(5, made.link, now).domain == "uio.no"
    async with asyncio.timeout(20):
        while len(new.checks):  # noqa: ASYNC110 - the end of a letter has no event
            await asyncio.sleep(0.01)
    assert new.outbox.tally["failed"] == 1
    assert not new.gone
