"""The console's tables: no secret opens anything from a dump, and no row is of somebody who chats."""

import pytest
from sqlalchemy import LargeBinary

from server.data.schema.console_schema import api_token, approval, console_session, operator, passkey
from tests.server.data.conftest import Kit

TABLES = (operator, passkey, console_session, api_token, approval)


def test_no_row_has_a_keyed_value_of_a_person() -> None:
    for table in TABLES:
        for column in table.columns:
            assert not (isinstance(column.type, LargeBinary) and column.type.length == 17), (
                f"{table.name}.{column.name}"
            )


@pytest.mark.parametrize("table", [table.name for table in TABLES])
async def test_a_migrated_database_has_them(kit: Kit, table: str) -> None:
    assert await kit.count(table) == 0


async def test_what_two_operators_did_goes_after_a_year(kit: Kit) -> None:
    day = 86_400
    for number, age in enumerate((366, 364)):
        async with kit.database.write() as connection:
            await connection.execute(
                approval.insert().values(
                    id=bytes([number]) * 16, action="reveal", subject=b"x", words="why", asked_by="ada",
                    asked=int(kit.now) - age * day, alone=False, emergency=False,
                )
            )  # fmt: skip
    await kit.purge().run()
    assert await kit.count("approval") == 1
