"""What another process sends is taken whole after its acknowledgement, or refused whole; all else is asked in test_upgrade_target."""

from __future__ import annotations

import os
import socket
from typing import Any

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.migrate.session_import import Imports
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import pair


async def test_a_group_is_acknowledged_before_it_is_here_and_a_damaged_one_is_refused(secret: Keys) -> None:
    said: list[tuple[Any, ...]] = []
    async with pair(secret) as made:
        await made.connect(1)
        old, new = made.old.has, made.new.has
        (id,) = old.worker.engine.sessions
        released = old.moving.release((id,))
        assert released is not None
        imports = Imports(new.worker, new.moving, new.tally)
        record = released.session_record.record
        damaged = {**record, "people": [{**record["people"][0], "state": "nowhere"}]}
        for number, sent in enumerate((damaged, record)):
            descriptor = os.dup(released.descriptors[0])
            message = Message(Kind.PEOPLE, number, [sent, [0], 0.0, 0], released.session_record.blobs, [descriptor])
            came = imports.take_all(
                message, DRAIN, lambda *words: said.append((*words, id in new.worker.engine.sessions)), 7
            )
            assert (came is not None) == (sent is record)
        os.close(released.descriptors[0])
        assert said == [(Kind.NO, 0, False), (Kind.TOOK, 1, 7, False)]
        assert set(new.worker.engine.sessions) == {id}


async def test_a_newcomer_is_acknowledged_and_served_here(secret: Keys) -> None:
    said: list[tuple[Any, ...]] = []
    async with pair(secret) as made:
        new = made.new.has
        client, ours = socket.socketpair()
        message = Message(Kind.NEWCOMER, 3, ["192.0.2.1"], [b""], [ours.detach()])
        Imports(new.worker, new.moving, new.tally).take_newcomer(message, lambda *words: said.append(words))
        assert (said, new.worker.reactor.newcomers) == ([(Kind.TOOK, 3)], 1)
        client.close()
