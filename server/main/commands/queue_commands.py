"""Implement `serendip safety queues` (how much waits in each queue, and which accounts read it) and `serendip safety templates` (saved answers).

**Invariant:** a saved answer belongs to an account of the console (`--operator`), as if it was saved there.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from server.data.objects.sealed_objects import Sealed
from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import said
from server.main.commands.command_base import (
    clean,
    say,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.trust.cases.case_queues import Queues
from server.trust.moderators.answer_templates import AnswerTemplates
from server.trust.moderators.moderator_accounts import queue_readers
from server.trust.moderators.roles import OPENED_BY, ROLES

templates = typer.Typer(no_args_is_help=True)
Language = Annotated[str, typer.Option("--language", help="of the text, as de; default: en")]


@store_command(as_json=True)
def queues(run: StoreCommand) -> None:
    """List the queues of cases, the appeals and the notices: how many wait, since when, and which accounts with a passkey may open them."""

    async def handler(parts: Parts, _: Settings) -> list[dict[str, Any]]:
        sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
        sizes = await Queues(parts.database, sealed, parts.pseudonyms).sizes()
        readers = await queue_readers(parts.database)
        return [
            {
                "queue": name,
                "open": size.open,
                "oldest": size.oldest or None,
                "roles": [role for role, actions in ROLES.items() if OPENED_BY[name] in actions],
                "readers": list(readers[name]),
            }
            for name, size in sizes.items()
        ]

    found = run.perform(handler)
    if run.prints_json(found):
        return
    titles = ("queue", "open", "oldest", "roles", "read by")
    table(
        titles,
        (
            (one["queue"], one["open"], when(one["oldest"]), ", ".join(one["roles"]), ", ".join(one["readers"]) or "-")
            for one in found
        ),
    )
    unread = [one["queue"] for one in found if not one["readers"]]
    say(f"no account with a passkey opens: {', '.join(unread)}" if unread else "each has a reader")


@templates.command("list")
@store_command(operator=True, as_json=True)
def list_templates(run: StoreCommand, language: Language = ENGLISH) -> None:
    """List the account's saved answers, and the shipped ones in a language."""
    _known(language)
    found = run.perform(lambda parts, _: AnswerTemplates(parts.database).answers(run.operator, said(), language))
    if run.prints_json(found):
        return
    rows = (
        (one.id, "own" if one.own else "shipped", one.title if one.own else "", tag, text)
        for one in found
        for tag, text in one.texts.items()
        if one.own or tag == language
    )
    table(("id", "kind", "title", "language", "text"), rows)
    say(f"{len(found)} answers")


@templates.command("save")
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def save_template(
    run: StoreCommand,
    title: Annotated[str, typer.Argument(metavar="TITLE")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what the user reads, at most 300 characters")],
    language: Language = ENGLISH,
) -> None:
    """Save an answer of an account of the console (--operator)."""
    _known(language)
    run.perform(lambda parts, _: AnswerTemplates(parts.database).save(run.operator, title, text, language))
    run.tell(clean(f"saved for {run.operator}: {title}"))


@templates.command("remove")
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def remove_template(
    run: StoreCommand, ident: Annotated[str, typer.Argument(metavar="ID", help="as `list` prints it")]
) -> None:
    """Delete a saved answer of an account; shipped ones stay."""
    if not run.perform(lambda parts, _: AnswerTemplates(parts.database).remove(run.operator, ident)):
        stop(clean(f"{run.operator} has no saved answer {ident}"))
    run.tell(f"deleted {clean(ident)}")


async def text_of(parts: Parts, operator: str, ident: str, language: str) -> str:
    """Return the text of a saved answer; an own one has one language. Raises ValueError if it does not exist."""
    for one in await AnswerTemplates(parts.database).answers(operator, said(), ENGLISH):
        if one.id == ident and (one.own or language in one.texts):
            return next(iter(one.texts.values())) if one.own else one.texts[language]
    raise ValueError(f"there is no saved answer {ident} in {language}: `serendip safety templates list` prints them")


def _known(language: str) -> None:
    if language not in said():
        stop(f"{clean(language)}: no language of the page ({', '.join(said())})", status=2)
