"""Make, check and revoke the bearer tokens with which a moderator's programs use the moderation API.

**Invariant:** the store has only a keyed hash of a token. A token has the roles that its account has now, may never do what needs a fresh passkey,
and ends with the account or its passkey.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Row, delete, func, insert, select, update

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.data.schema.console_schema import api_token
from server.data.schema.console_schema import operator as account_of
from server.ops.security.url_token_generator import decode, draw, encode
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Operator

BEGIN: Final = "serendip_mod_"  # of a token: programs that search for leaked secrets find it by this
NAME_MOST: Final = 40  # characters
DAYS: Final = (7, 30, 90, 365)  # days that a token may last
MOST: Final = 10  # tokens of an account
TOUCH: Final = 60  # seconds between two writes of "used"
DOMAIN: Final = b"console.api"
DAY: Final = 86_400


class Scope(StrEnum):
    """A permission of a token, within those of its account's roles."""

    READ = "read"  # list cases, read one
    ACT = "act"  # claim, release, decide, undo
    STREAM = "stream"  # hear of new cases


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret. `id`: hexadecimal digits; `made`, `until`, `used`: Unix seconds; `used`: None before its first use."""

    id: str
    name: str
    scopes: frozenset[Scope]
    made: int
    until: int
    used: int | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program with a valid token, and its moderator."""

    token: ApiToken
    operator: Operator

    @property
    def why(self) -> str:
        """Return the reason that the audit log notes for each action of the program."""
        return f"by a program: {self.token.name}"


class ApiTokens:
    """Tokens in one store. `clock`: Unix seconds. Each method raises StoreAway; making and revoking is a line of the audit log first."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def make(self, operator: str, name: str, scopes: Iterable[str], days: int) -> str:
        """Make a token of an account, and return it: it can be read only now. Raises Refused."""
        named, chosen = " ".join(name.split()), _scopes(scopes)
        if not named or len(named) > NAME_MOST:
            raise Refused("refused.token.name", most=NAME_MOST)
        if not chosen or days not in DAYS:
            raise Refused("refused.token.scope")
        secret, now = draw(), int(self._clock())
        await self._note("console token", operator, f"made: {named}, {','.join(chosen)}, {days} days")
        mine = select(func.count()).where(api_token.c.operator == operator, api_token.c.until > now)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            account = select(account_of.c.name).where(account_of.c.name == operator)
            if (await connection.execute(account)).first() is None:
                raise Refused("refused.account")
            if (await connection.execute(mine)).scalar_one() >= MOST:
                raise Refused("refused.token.many", most=MOST)
            await connection.execute(
                insert(api_token).values(
                    id=self._pseudonyms.secret_hash(DOMAIN, secret), operator=operator, name=named,
                    scopes=",".join(chosen), made=now, until=now + days * DAY,
                )
            )  # fmt: skip
        return BEGIN + encode(secret)

    async def find(self, text: str) -> Bearer | None:
        """Return the program and moderator of a token; None if it has ended or never existed."""
        secret = decode(text.removeprefix(BEGIN)) if text.startswith(BEGIN) else None
        if secret is None:
            return None
        ident, now = self._pseudonyms.secret_hash(DOMAIN, secret), int(self._clock())
        wanted = (
            select(api_token, account_of.c.roles)
            .join(account_of, account_of.c.name == api_token.c.operator)
            .where(api_token.c.id == ident, api_token.c.until > now)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None:
            return None
        if row.used is None or row.used <= now - TOUCH:
            async with self._database.write() as connection:
                await connection.execute(update(api_token).where(api_token.c.id == ident).values(used=now))
        return Bearer(_token(row), Operator(row.operator, frozenset(row.roles.split(",")), 0.0))

    async def listed(self, operator: str) -> Sequence[ApiToken]:
        """Return the valid tokens of an account, by name."""
        mine = select(api_token).where(api_token.c.operator == operator, api_token.c.until > int(self._clock()))
        async with self._database.read() as connection:
            rows = (await connection.execute(mine.order_by(api_token.c.name, api_token.c.made))).all()
        return [_token(row) for row in rows]

    async def revoke(self, operator: str, ident: str) -> bool:
        """End one of the account's own tokens at once. False if none has this id."""
        found = next((one for one in await self.listed(operator) if one.id == ident), None)
        if found is None:
            return False
        await self._note("console token", operator, f"revoked: {found.name}")
        mine = delete(api_token).where(api_token.c.id == bytes.fromhex(ident), api_token.c.operator == operator)
        async with self._database.write() as connection:
            return bool((await connection.execute(mine)).rowcount)

    async def forget(self) -> None:
        """Delete the tokens that have ended."""
        async with self._database.write() as connection:
            await connection.execute(delete(api_token).where(api_token.c.until <= int(self._clock())))

    async def _note(self, action: str, by: str, what: str) -> None:
        now = int(self._clock())
        await audit_log.write_entry(self._database, now=now, operator=by, action=action, why="programs", outcome=what)


def _scopes(given: Iterable[str]) -> tuple[Scope, ...]:
    """Return scopes in their order, each once; nothing if one of them is unknown."""
    chosen = set(given)
    return () if chosen - set(Scope) else tuple(one for one in Scope if one in chosen)


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    scopes = frozenset(Scope(one) for one in row.scopes.split(","))
    return ApiToken(row.id.hex(), row.name, scopes, row.made, row.until, row.used)
