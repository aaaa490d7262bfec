"""An upgrade that cannot begin says why."""

from typing import Any

from server.fleet.migrate.single_process_upgrade import UpgradeCommand
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.ops.process.listening_sockets import Sockets
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import pair


async def test_what_cannot_begin_says_why_and_changes_nothing(secret: Keys) -> None:
    said: list[Any] = []
    async with pair(secret) as made:

        def has() -> UpgradeParts:
            return made.old.has

        stopping = UpgradeCommand(has, Sockets(), made.old, lambda: "this server starts, or stops")
        assert await stopping.upgrade(None, said.append) == {"done": False, "said": "this server starts, or stops"}
        missing = UpgradeCommand(has, Sockets(), made.old, lambda: "")
        answer = await missing.upgrade("/nowhere/serendip", said.append)
        assert answer["done"] is False
        assert "/nowhere/serendip" in answer["said"]
        assert (said, missing.child, missing.done.is_set(), made.old.accepts) == ([], None, False, True)
        await missing.stop()
