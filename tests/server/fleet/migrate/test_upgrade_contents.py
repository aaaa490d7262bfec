"""What a process hands over is named once."""

from dataclasses import fields

from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import pair


async def test_parts_that_a_deployment_has_not_are_none(secret: Keys) -> None:
    async with pair(secret) as made:
        has = made.old.has
        assert (has.adapter, has.desk, has.recorder) == (None, None, None)
        assert {field.name for field in fields(UpgradeParts)} >= {"worker", "moving", "door", "tally"}
