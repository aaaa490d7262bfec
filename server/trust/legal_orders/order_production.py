"""Produce the records that a legal order names: approval, count, intent in the ledger, package, outcome.

The package is a folder of mode 0700 with `records.json`, `README.txt` and `SHA256SUMS`; with the authority's key the records are encrypted by `age`
before they are written. The folder appears complete, by one rename.

**Invariant:** a second operator approved it, and the ledger's intent is on disk before an address or a text is opened. One production runs at a
time. Called again after a kill, `produce` finishes or repeats what was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import select

from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Phase
from server.data.privacy.registry_model import Category
from server.data.schema.disclosure_schema import disclosure
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import LawOrders, Order, OrderRefused
from server.trust.legal_orders.order_records import FoundRecords, OrderRecords, utc
from server.trust.moderators.approvals import Approvals, State
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action, Operator

AGE_S: Final = 60.0  # seconds that age may take
WRITING: Final = "package: "  # begins the reason of an order whose package is being written, before its folder
SUMS, README, RECORDS = "SHA256SUMS", "README.txt", "records.json"
ABSENT: Final = "age is not installed, and the authority gave a key: apt install age"


@dataclass(frozen=True, slots=True)
class ProducedPackage:
    """Outcome of `produce`. `counts`: records by part; `state`: of the approval, `done`, or `counted`."""

    state: str
    categories: tuple[Category, ...]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Content:
    """Content of a package. `counts`, `parts`: number and records of each part; `lines`: of the ledger."""

    order: Order
    chosen: Sequence[Category]
    counts: dict[str, int]
    parts: dict[str, Any]
    lines: Sequence[int]


class OrderProduction:
    """Produces orders. All methods raise StoreAway."""

    def __init__(self, orders: LawOrders, records: OrderRecords, accounts: Accounts, approvals: Approvals) -> None:
        self._orders = orders
        self._records = records
        self._accounts = accounts
        self._approvals = approvals

    async def produce(
        self, text: str, operator: str, out: Path, wanted: Sequence[Category] = (), *, dry: bool = False
    ) -> ProducedPackage:
        """Write the package to `out`, a new folder, or ask for the approval. `dry`: count only.

        Raises OrderRefused, BeyondBounds, TooMany, Busy while another officer produces an order, OSError, ObjectsAway.
        """
        if dry:
            return await self._produce(text, operator, out, wanted, dry=True)
        async with self._orders.database.only_production():
            return await self._produce(text, operator, out, wanted, dry=False)

    async def _produce(
        self, text: str, operator: str, out: Path, wanted: Sequence[Category], *, dry: bool
    ) -> ProducedPackage:
        """Do the same under the lock: no other officer closes this attempt's lines of the ledger as interrupted."""
        order, selector, _ = await self._orders.read(text)
        chosen = order_kinds.opened(order.kind, order.asked, wanted)
        self._orders.check_running(order)
        if not chosen:
            raise OrderRefused(f"{order_kinds.KINDS[order.kind].words} opens nothing: refuse it, or place a hold")
        subject, why = self._orders.subject_of(selector), f"order {shown(order.number)}"
        if not dry:
            await asyncio.to_thread(_clear_interrupted, order, out)
        if not dry and await asyncio.to_thread(_is_package_of, out, order):
            return await self._finish(order, operator, chosen, {})
        if not dry and (state := await self._approved(order, operator, why)) is not None:
            return ProducedPackage(state, chosen, {})
        if order.age_key and not dry and await asyncio.to_thread(shutil.which, "age") is None:
            raise OrderRefused(ABSENT)
        async with audit_log.act(
            self._orders.database, operator=operator, action="order produce", why=why, subject=subject, dry=dry
        ) as act:
            found = await self._records.find(selector, order.since, order.until)
            counts = found.counts(chosen)
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            if dry:
                act.outcome = f"would give {told}"
                return ProducedPackage("counted", chosen, counts)
            await self._write(order, chosen, found, counts, out)
            act.outcome = f"gave {order_kinds.names_of(chosen)}: {told}"
        return await self._finish(order, operator, chosen, counts)

    async def _approved(self, order: Order, operator: str, why: str) -> str | None:
        """Return None if production may begin, else the state of the approval, after requesting it if need be. Raises OrderRefused."""
        roles = next((one.roles for one in await self._accounts.listed() if one.name == operator), ())
        person, subject = Operator(operator, frozenset(roles) or frozenset({"officer"}), 0.0), order.number.encode()
        if not person.may(Action.PRODUCE):
            raise OrderRefused(f"{operator} is no officer")
        found = await self._approvals.newest(Action.PRODUCE, subject, person)
        if found is not None and found.state.may:
            return None
        if found is None or found.state not in (State.ASKED, State.WAITING):
            # Where a life is in danger, production does not wait for a second operator if no other account exists.
            hurried = order.kind == "emergency" and not await self._accounts.others(Action.PRODUCE, operator)
            await self._approvals.ask(person, Action.PRODUCE, subject, why, emergency=hurried)
            if hurried:
                return None
            found = await self._approvals.newest(Action.PRODUCE, subject, person)
        return found.state.value if found is not None else State.ASKED.value

    async def _write(
        self, order: Order, chosen: Sequence[Category], found: FoundRecords, counts: dict[str, int], out: Path
    ) -> None:
        """Write the folder, after the intent. An attempt that was interrupted before its folder appeared is closed as failed."""
        ledger, keys = self._orders.ledger, self._orders.pseudonyms
        if interrupted := await self._intents(order):
            await ledger.failed(interrupted)
        await self._orders.note(order, f"{WRITING}{out}")
        one = self._orders.disclosure(order, chosen, sum(counts.values()))
        intents = await ledger.intent(one, [keys.disclosure_subject(value) for value in found.values])
        try:
            parts = await self._records.opened(found, chosen)
            await asyncio.to_thread(_write_package, out, _Content(order, chosen, counts, parts, intents))
        except Exception:
            # a folder that appeared is complete: the next call writes its outcome
            if not await asyncio.to_thread(out.exists):
                await ledger.failed(intents)
            raise

    async def _finish(
        self, order: Order, operator: str, chosen: tuple[Category, ...], counts: dict[str, int]
    ) -> ProducedPackage:
        """Write the outcome of a package that is there."""
        if intents := await self._intents(order):
            await self._orders.ledger.done(intents)
        await self._orders.close_produced(order, operator)
        return ProducedPackage("done", chosen, counts)

    async def _intents(self, order: Order) -> list[int]:
        """Return the intents of an order that have no outcome."""
        outcome = disclosure.alias()
        wanted = (
            select(disclosure.c.number)
            .outerjoin(outcome, outcome.c.intent == disclosure.c.number)
            .where(
                disclosure.c.law_order == order.number,
                disclosure.c.phase == Phase.INTENT.value,
                outcome.c.number.is_(None),
            )
        )
        async with self._orders.database.read() as connection:
            return [int(one) for one in (await connection.execute(wanted)).scalars()]


def _is_package_of(out: Path, order: Order) -> bool:
    """Whether the folder is a complete package of this order, as `_write_package` made it."""
    if not out.exists():
        return False
    readme = out / README
    if not (out / SUMS).is_file() or shown(order.number) not in readme.read_text(errors="replace")[:200]:
        raise OrderRefused(f"{out} exists, and is no package of this order")
    return True


def _clear_interrupted(order: Order, out: Path) -> None:
    """Remove what an interrupted attempt left beside another folder. Raises OrderRefused if its package is complete: it may have been given."""
    if not order.why.startswith(WRITING):
        return
    earlier = Path(order.why.removeprefix(WRITING))
    if earlier == out:
        return
    with contextlib.suppress(OSError):
        shutil.rmtree(_part_of(earlier))
    try:
        complete = _is_package_of(earlier, order)
    except (OrderRefused, OSError):  # it is something else by now
        complete = False
    if complete:
        raise OrderRefused(f"its package is complete in {earlier}: say --out {earlier}")


def _part_of(out: Path) -> Path:
    """Return the folder in which the files are until all are written."""
    return out.with_name(out.name + ".part")


def _write_package(out: Path, content: _Content) -> None:
    """Write all files beside `out`, then rename their folder to it. After an error none stays. Raises OSError, OrderRefused if age fails."""
    part = _part_of(out)
    if part.exists():
        shutil.rmtree(part)  # of an attempt that was killed
    part.mkdir(mode=0o700, parents=True)
    try:
        _fill(part, content)
        part.rename(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _sync(out.parent)


def _fill(part: Path, content: _Content) -> None:
    """Write the files of a package into an empty folder, and wait until they are on the disk."""
    order = content.order
    body = orjson.dumps({"order": shown(order.number), "records": content.parts}, option=orjson.OPT_INDENT_2)
    name = RECORDS
    if order.age_key:
        body, name = _encrypted(body, order.age_key), f"{RECORDS}.age"
    files = {name: body, README: _readme(content, name).encode()}
    sums = "".join(f"{hashlib.sha256(bytes_of).hexdigest()}  {file}\n" for file, bytes_of in files.items())
    for file, bytes_of in (files | {SUMS: sums.encode()}).items():
        descriptor = os.open(part / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(bytes_of)
            opened.flush()
            os.fsync(descriptor)
    _sync(part)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encrypted(body: bytes, key: str) -> bytes:
    """Return the bytes encrypted to the authority's key. Nothing plain is on a disk."""
    try:
        made = subprocess.run(["age", "--encrypt", "--recipient", key], input=body, capture_output=True, timeout=AGE_S)  # noqa: S603, S607 - checked key
    except FileNotFoundError:
        raise OrderRefused(ABSENT) from None
    except subprocess.TimeoutExpired:
        raise OrderRefused(f"age took more than {AGE_S:.0f} s") from None
    if made.returncode:
        raise OrderRefused(f"age refused the key: {made.stderr.decode(errors='replace').strip()[:200]}")
    return made.stdout


def _readme(content: _Content, name: str) -> str:
    order, lines = content.order, content.lines
    about = "\n".join(f"  {part}: {count}" for part, count in content.counts.items())
    kinds = "\n".join(f"  {one.name}: {one.value}" for one in content.chosen)
    span = f"{utc(order.since) or 'the first record'} to {utc(order.until) or 'the last record'}"
    decrypt = (
        "\nDecrypt it with the private key: age --decrypt --identity KEY records.json.age\n" if order.age_key else ""
    )
    return f"""Answer to order {shown(order.number)}
{order_kinds.KINDS[order.kind].words}
of {order.authority} ({order.country}), received {utc(order.received)}

{name}: the records, JSON in UTF-8, times in UTC.{decrypt}
Check the files: sha256sum --check {SUMS}

Categories that the order names and its kind may open:
{kinds}
Records of the time from {span}:
{about}

This is all that is stored of these categories about whom the order names. An address that is null was kept
under a key that has been destroyed. Lines {min(lines)} to {max(lines)} of this service's ledger of disclosures record this answer.
"""
