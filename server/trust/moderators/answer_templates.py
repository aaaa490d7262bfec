"""Keep the saved answers of moderators: short texts for users, each in one language, that a decision may carry.

Some answers are shipped in every language of the catalogues (SHIPPED); a moderator saves others.

**Invariant:** a saved answer belongs to one moderator, is shown to no other, and is deleted with the account; OWN_MOST of them at most.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, insert, select

from server.data.database.database import Database
from server.data.schema.console_schema import answer_template
from server.data.schema.console_schema import operator as account_of
from server.http.words.sentence_formatter import Said
from server.trust.sanctions.sanction_scale import WORDS, Refused

BEGIN: Final = "console.answer."  # keys of the shipped answers
SHIPPED: Final = ("advert", "elsewhere", "hate", "harassment", "threat", "nudity", "private", "again")
OWN_MOST: Final = 50
TITLE_MOST: Final = 60  # characters


@dataclass(frozen=True, slots=True)
class Answer:
    """A saved answer. `id`: of a shipped one its name; `texts`: by language; `own`: it is this moderator's."""

    id: str
    title: str
    texts: Mapping[str, str]
    own: bool


class AnswerTemplates:
    """Saved answers of one store. `clock`: Unix seconds. Each method raises StoreAway."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def answers(self, operator: str, said: Mapping[str, Said], language: str) -> Sequence[Answer]:
        """Return the moderator's own answers by title, then the shipped ones. `said`: all languages; `language`: of the shipped titles."""
        wanted = select(answer_template).where(answer_template.c.operator == operator)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(answer_template.c.title))).all()
        own = [Answer(row.id.hex(), row.title, {row.language: row.text}, True) for row in rows]
        return own + [
            Answer(
                name, said[language].text(BEGIN + name), {tag: t.text(BEGIN + name) for tag, t in said.items()}, False
            )
            for name in SHIPPED
        ]

    async def save(self, operator: str, title: str, text: str, language: str) -> None:
        """Save an answer of an account. Raises Refused."""
        name, words = " ".join(title.split()), " ".join(text.split())
        if not name or len(name) > TITLE_MOST or not words or len(words) > WORDS:
            raise Refused("refused.template", most=TITLE_MOST, longest=WORDS)
        mine = select(func.count()).where(answer_template.c.operator == operator)
        account = select(account_of.c.name).where(account_of.c.name == operator)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            if (await connection.execute(account)).first() is None:
                raise Refused("refused.account")
            if (await connection.execute(mine)).scalar_one() >= OWN_MOST:
                raise Refused("refused.templates", most=OWN_MOST)
            await connection.execute(
                insert(answer_template).values(
                    id=secrets.token_bytes(16), operator=operator, language=language, title=name, text=words,
                    made=int(self._clock()),
                )
            )  # fmt: skip

    async def remove(self, operator: str, ident: str) -> bool:
        """Delete one of the moderator's own answers. False if no answer has this id."""
        if len(ident) != 32 or not set(ident) <= set("0123456789abcdef"):
            return False
        mine = delete(answer_template).where(
            answer_template.c.id == bytes.fromhex(ident), answer_template.c.operator == operator
        )
        async with self._database.write() as connection:
            return bool((await connection.execute(mine)).rowcount)
