"""Manage the console's accounts: invite, enrol, change roles, close.

**Invariant:** an invitation is valid for one day and one use; at least one account with a passkey can always invite.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.data.schema.console_schema import answer_template, api_token, console_session, operator, passkey
from server.data.schema.moderation_schema import OPEN, case
from server.http.words.worded_errors import Worded
from server.ops.security.url_token_generator import decode, draw, encode
from server.trust.moderators.passkeys import Credential
from server.trust.moderators.roles import OPENED_BY, ROLES, Action, Operator

DAY = 86_400
PATH = "/enrol/"
DOMAIN = b"console.invite"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}", re.ASCII)


class Refused(Worded):
    """A request that cannot be done, with the key of a sentence."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `passkeys`: how many; `invited`: Unix seconds until which an invitation is open, or None."""

    name: str
    roles: tuple[str, ...]
    handle: bytes
    passkeys: int
    made: int
    invited: int | None

    def may(self, action: Action) -> bool:
        """Whether one of its roles allows this."""
        return any(action in ROLES[role] for role in self.roles)


class Accounts:
    """Accounts in one store. `clock`: Unix seconds. Each method raises StoreAway; each change is a line of the audit log first.

    An invitation to an account that has a passkey is for a lost device: using it removes the old passkey, its sessions and its API tokens.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def invite(self, name: str, roles: Iterable[str], by: str) -> str:
        """Invite to an account, creating it if needed. Return the link's path. No roles: those that it has. Raises Refused."""
        if not NAME.fullmatch(name):
            raise Refused("refused.name")
        chosen, token, now = _roles(roles), draw(), int(self._clock())
        await self._note("console invite", by, f"{name} {','.join(chosen)}".strip())
        invitation = {"invite": self._pseudonyms.secret_hash(DOMAIN, token), "invite_until": now + DAY}
        async with self._database.write() as connection:
            known = {account.name: account for account in await _all(connection, now)}
            if name in known:
                if chosen and chosen != known[name].roles:
                    raise Refused("refused.roles.other")
                await connection.execute(update(operator).where(operator.c.name == name).values(**invitation))
            else:
                if not chosen:
                    raise Refused("refused.roles.none")
                values = {"name": name, "roles": ",".join(chosen), "handle": secrets.token_bytes(16), "made": now}
                await connection.execute(insert(operator).values(**values, **invitation))
        return PATH + encode(token)

    async def invited(self, link: str) -> Account | None:
        """Return the account of an open invitation, or None."""
        secret = decode(link)
        if secret is None:
            return None
        digest, now = self._pseudonyms.secret_hash(DOMAIN, secret), int(self._clock())
        wanted = select(operator.c.name).where(operator.c.invite == digest, operator.c.invite_until > now)
        async with self._database.read() as connection:
            name = (await connection.execute(wanted)).scalar()
            return next((account for account in await _all(connection, now) if account.name == name), None)

    async def enrol(self, link: str, credential: Credential) -> bool:
        """Use an invitation: only this passkey opens the account from now on. False if the invitation was used or is late."""
        secret, now = decode(link) or b"", int(self._clock())
        digest = self._pseudonyms.secret_hash(DOMAIN, secret)
        async with self._database.write() as connection:
            open_one = select(operator.c.name).where(operator.c.invite == digest, operator.c.invite_until > now)
            name = (await connection.execute(open_one)).scalar()
            if name is None:
                return False
            used = update(operator).where(operator.c.name == name, operator.c.invite == digest)
            if not (await connection.execute(used.values(invite=None, invite_until=None, changed=now))).rowcount:
                return False
            await _shut(connection, name)
            await connection.execute(
                insert(passkey).values(
                    id=credential.id, operator=name, credential=credential.data, counter=credential.counter, made=now
                )
            )
        await self._note("console enrol", name, "a passkey by invitation")
        return True

    async def key(self, ident: bytes) -> tuple[Account, Credential] | None:
        """Return a passkey by its id, with its account, or None."""
        wanted = select(passkey).where(passkey.c.id == ident)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            found = [one for one in await _all(connection, int(self._clock())) if one.name == row.operator]
        return (found[0], Credential(row.id, row.credential, row.counter)) if found else None

    async def count(self, credential: Credential, counter: int) -> bool:
        """Store a passkey's counter. False if another sign-in used it at the same moment."""
        if counter == credential.counter == 0:
            return True
        unchanged = update(passkey).where(passkey.c.id == credential.id, passkey.c.counter == credential.counter)
        async with self._database.write() as connection:
            return bool((await connection.execute(unchanged.values(counter=counter))).rowcount)

    async def listed(self) -> Sequence[Account]:
        """Return all accounts, by name."""
        async with self._database.read() as connection:
            return await _all(connection, int(self._clock()))

    async def change(self, name: str, roles: Iterable[str], by: str) -> None:
        """Replace an account's roles. Raises Refused."""
        chosen = _roles(roles)
        if not chosen:
            raise Refused("refused.roles.none")
        if name == by:
            raise Refused("refused.roles.own")
        await self._note("console roles", by, f"{name} {','.join(chosen)}")
        async with self._database.write() as connection:
            await self._leaves_an_admin(connection, name, "admin" in chosen)
            values = {"roles": ",".join(chosen), "changed": int(self._clock())}
            await connection.execute(update(operator).where(operator.c.name == name).values(values))

    async def close(self, name: str, by: str) -> None:
        """Remove an account, its passkeys, sessions, API tokens and saved answers at once; cases passed on to it are free for all. Raises Refused."""
        await self._note("console close", by, name)
        async with self._database.write() as connection:
            await self._leaves_an_admin(connection, name, False)
            await _shut(connection, name)
            reserved = update(case).where(case.c.passed_to == name, case.c.state == OPEN)
            await connection.execute(reserved.values(passed_to=None))
            await connection.execute(delete(answer_template).where(answer_template.c.operator == name))
            await connection.execute(delete(operator).where(operator.c.name == name))

    async def unread(self) -> frozenset[str]:
        """Return the queues without a reader, as `unread_queues` does."""
        return await unread_queues(self._database)

    async def others(self, action: Action, but: str) -> bool:
        """Whether another account could confirm this action."""
        return any(one.passkeys and one.name != but and one.may(action) for one in await self.listed())

    async def at_a_shell(self, name: str, action: Action) -> Operator | None:
        """Return the operator of this name if they may do this, else None.

        A name without an account may only where no account with a passkey may: else one officer would be two by another name.
        """
        accounts = await self.listed()
        known = next((one for one in accounts if one.name == name), None)
        if known is not None:
            return Operator(name, frozenset(known.roles), 0.0) if known.may(action) else None
        if any(one.passkeys and one.may(action) for one in accounts):
            return None
        return Operator(name, frozenset({"officer", "child"}), 0.0)

    async def is_settled(self, name: str) -> bool:
        """Whether an account's passkey and roles are a day old, so that an admin cannot create a second moderator at once."""
        wanted = select(operator.c.changed).where(operator.c.name == name)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
        return row is not None and (row.changed is None or row.changed <= int(self._clock()) - DAY)

    async def _leaves_an_admin(self, connection: AsyncConnection, name: str, stays: bool) -> None:
        accounts = {account.name: account for account in await _all(connection, int(self._clock()))}
        if name not in accounts:
            raise Refused("refused.account")
        admins = {one.name for one in accounts.values() if "admin" in one.roles and one.passkeys}
        if name in admins and not stays and len(admins) == 1:
            raise Refused("refused.admin")

    async def _note(self, action: str, by: str, what: str) -> None:
        now = int(self._clock())
        await audit_log.write_entry(self._database, now=now, operator=by, action=action, why="accounts", outcome=what)


async def unread_queues(database: Database) -> frozenset[str]:
    """Return the queues of `moderation_policy.WAITING` that no account with a passkey may open. Raises StoreAway."""
    return frozenset(name for name, readers in (await queue_readers(database)).items() if not readers)


async def queue_readers(database: Database) -> dict[str, tuple[str, ...]]:
    """Return the names of the accounts with a passkey that may open each queue of `moderation_policy.WAITING`. Raises StoreAway."""
    async with database.read() as connection:
        accounts = [one for one in await _all(connection, 0) if one.passkeys]
    return {name: tuple(one.name for one in accounts if one.may(action)) for name, action in OPENED_BY.items()}


async def expected(database: Database, now: int) -> bool:
    """Whether an account with a passkey, or an open invitation, may work on cases. Raises StoreAway."""
    async with database.read() as connection:
        accounts = await _all(connection, now)
    return any((one.passkeys or one.invited) and one.may(Action.WORK) for one in accounts)


async def _all(connection: AsyncConnection, now: int) -> list[Account]:
    count = select(func.count()).where(passkey.c.operator == operator.c.name).scalar_subquery()
    rows = (await connection.execute(select(operator, count.label("keys")).order_by(operator.c.name))).all()
    return [
        Account(
            row.name, tuple(row.roles.split(",")), row.handle, row.keys, row.made,
            row.invite_until if row.invite_until and row.invite_until > now else None,
        )
        for row in rows
    ]  # fmt: skip


async def _shut(connection: AsyncConnection, name: str) -> None:
    """Delete an account's passkeys, sessions and API tokens."""
    await connection.execute(delete(passkey).where(passkey.c.operator == name))
    await connection.execute(delete(console_session).where(console_session.c.operator == name))
    await connection.execute(delete(api_token).where(api_token.c.operator == name))


def _roles(given: Iterable[str]) -> tuple[str, ...]:
    """Return roles in the table's order, each once. Raises Refused for an unknown one."""
    chosen = set(given)
    if strange := chosen - set(ROLES):
        raise Refused("refused.roles.strange", strange=", ".join(sorted(strange)), roles=", ".join(ROLES))
    return tuple(role for role in ROLES if role in chosen)
