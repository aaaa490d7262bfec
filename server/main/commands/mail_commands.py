"""Implement `serendip privacy mail < message`, to which a mail server pipes the mails to the operator's address for privacy.

**Invariant:** the exit status tells the mail server what to do: 0 it is stored, 75 try again later (the database or the relay is away, or a setting
is missing), 65 this is no mail. Nothing of the mail is printed.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import Annotated

import typer

from server.data.store.store_runner import Parts
from server.main.commands.command_base import Stopped, stop
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.process import mail_relay
from server.ops.security.reference_numbers import shown
from server.trust.data_requests import incoming_mail
from server.trust.data_requests.request_store import Requests
from server.trust.data_requests.rights_ports import QueueFull
from server.trust.rights.mail_intake import Filed, MailIntake
from server.trust.rights.request_letters import RequestLetters, site_of

TRY_AGAIN, NO_MAIL = 75, 65  # EX_TEMPFAIL, EX_DATAERR of sysexits.h


@store_command(as_json=True)
def mail(
    run: StoreCommand,
    site: Annotated[
        str,
        typer.Option(
            "--site",
            metavar="URL",
            help="origin for links in answers; default: https:// and the first name of server.hosts",
        ),
    ] = "",
) -> None:
    """File a mail from standard input as a request, and answer its sender once a day. Status 75: the mail server should deliver it again."""
    try:
        came = incoming_mail.parse(incoming_mail.read(sys.stdin.buffer))
    except incoming_mail.Unreadable as error:
        stop(str(error), status=NO_MAIL)

    async def handler(parts: Parts, settings: Settings) -> Filed:
        if not settings.mail.host:
            raise RuntimeError("mail.host is not set, so no mail could be answered")
        letters = RequestLetters(settings, site.rstrip("/") or site_of(settings))
        send = functools.partial(mail_relay.send, relay=settings.mail)
        intake = MailIntake(parts.database, parts.pseudonyms, Requests(parts.database, parts.pseudonyms), letters, send)
        try:
            return await intake.take(came, int(time.time()))
        except QueueFull:
            raise RuntimeError("too many mails wait for an answer: serendip privacy request list") from None

    try:
        done = run.perform(handler)
    except Stopped as stopped:  # its reasons are printed
        raise Stopped(stopped.problems, TRY_AGAIN) from None
    except Exception as error:  # noqa: BLE001 - a fault of this program must not bounce a user's request
        stop(f"a fault: {type(error).__name__}", status=TRY_AGAIN)
    run.tell(
        f"{shown(done.number) or 'nothing to store'}, answer: {done.answer}",
        number=shown(done.number),
        answer=done.answer,
    )
