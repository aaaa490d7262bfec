"""Manage the console sessions of signed-in moderators: they end 30 minutes after the last request, or 12 hours after sign-in.

**Invariant:** the cookie is a random secret of which the store has only a keyed hash. Closing an account ends its sessions at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import delete, insert, or_, select, update

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.console_schema import console_session, operator
from server.ops.security.url_token_generator import decode, draw, encode
from server.trust.moderators.roles import Operator

COOKIE = "__Host-mod"
IDLE = 1800  # seconds without a request
LONGEST = 43_200  # seconds in any case
TOUCH = 60  # seconds between two writes of "used"
DOMAIN = b"console.session"
TOKEN = b"console.token"


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `id`: its hash in the store; `token`: required in each form."""

    id: bytes
    operator: Operator
    token: str


SESSION = web.RequestKey("session", Session)  # of a request that passed the gate


class Sessions:
    """Sessions in one store. `clock`: Unix seconds. Each method raises StoreAway."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def begin(self, name: str) -> str:
        """Start a session after a verified passkey. Return the cookie's value."""
        secret, now = draw(), int(self._clock())
        async with self._database.write() as connection:
            await connection.execute(
                insert(console_session).values(
                    id=self._pseudonyms.secret_hash(DOMAIN, secret), operator=name, made=now, used=now, proved=now
                )
            )
        return encode(secret)

    async def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, and extend it; None if it has ended or never existed."""
        secret = decode(cookie)
        if secret is None:
            return None
        ident, now = self._pseudonyms.secret_hash(DOMAIN, secret), int(self._clock())
        wanted = (
            select(console_session, operator.c.roles)
            .join(operator, operator.c.name == console_session.c.operator)
            .where(
                console_session.c.id == ident, console_session.c.used > now - IDLE, console_session.c.made > now - LONGEST
            )
        )  # fmt: skip
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None:
            return None
        if row.used <= now - TOUCH:
            await self._set(ident, used=now)
        token = self._pseudonyms.secret_hash(TOKEN, secret).hex()
        return Session(ident, Operator(row.operator, frozenset(row.roles.split(",")), row.proved), token)

    async def prove(self, session: Session) -> Operator:
        """Note a passkey verified again. Return the moderator with the new time."""
        now = int(self._clock())
        await self._set(session.id, proved=now)
        return Operator(session.operator.name, session.operator.roles, now)

    async def end(self, session: Session) -> None:
        """Sign out."""
        async with self._database.write() as connection:
            await connection.execute(delete(console_session).where(console_session.c.id == session.id))

    async def forget(self) -> None:
        """Delete expired sessions."""
        now = int(self._clock())
        ended = or_(console_session.c.used <= now - IDLE, console_session.c.made <= now - LONGEST)
        async with self._database.write() as connection:
            await connection.execute(delete(console_session).where(ended))

    async def _set(self, ident: bytes, **values: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(console_session).where(console_session.c.id == ident).values(**values))
