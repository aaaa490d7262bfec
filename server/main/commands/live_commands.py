"""Implement `serendip sessions`, `announce`, `maintenance` and `log level`: orders about what runs now, sent to the server of a data folder, which
carries them out in all its processes and on all hosts.

**Invariant:** an order about a session names a reason, which the server writes to the audit log first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    Operator,
    Why,
    clean,
    enter,
    print_json,
    say,
    stop,
    table,
    who,
)
from server.main.commands.process_control_commands import age
from server.ops.process.control_socket import ANSWER_S, LIVE, NoServer, ask

app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
Session = Annotated[str, typer.Argument(metavar="SESSION", help="as `serendip sessions list` prints it")]
BEGIN: Final = "announce."  # beginning of the keys of the prepared announcements
SOON, TROUBLE = "soon", "trouble"


def order(config: Any, data: Any, request: Mapping[str, Any], as_json: bool = False) -> Mapping[str, Any]:
    """Send an order and return the answer. Exits with status 1 and the reason if it was not carried out."""
    last: Mapping[str, Any] = {}
    try:
        for line in ask(enter(config, {"data": data}).data, request, LIVE, ANSWER_S):
            last = line
    except NoServer as error:
        last = {"done": False, "said": str(error)}
    if as_json:
        print_json(last)
    if last.get("done") is not True:
        if as_json:
            raise typer.Exit(1)
        stop(clean(last.get("said", "no reason was given")))
    return last


def _warn(silent: Any, coming: int = 0) -> None:
    if coming:
        say(f"an upgrade runs: {coming} more sessions are still in the old processes; ask again in a moment")
    for line in silent or ():
        say(clean(f"no answer from {line}"))


@app.callback()
def count(context: typer.Context, config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Print how many sessions there are, by process and state, on all hosts."""
    if context.invoked_subcommand is not None:
        return
    last = order(config, data, {"do": "count"}, as_json)
    if as_json:
        return
    states = last["states"]
    say(clean(f"{last['sessions']} sessions, {last['away']} of them away; {last['video']} in a video chat"))
    shown = ("waiting", "chatting", "idle")
    rows = [
        (
            one["host"] or "this",
            one["process"],
            one["sessions"],
            *[one["states"].get(name, 0) for name in shown],
            one["away"],
        )
        for one in last["processes"]
    ]
    table(("host", "process", "sessions", *shown, "away"), rows)
    if states.get("parted"):
        say(clean(f"{states['parted']} sessions are away, and their chat has ended"))
    said = last["service"]
    if "maintenance" in said:
        say("maintenance: no chat begins (end it: serendip maintenance off)")
    if "announcement" in said:
        say(clean("announced: " + " / ".join(said["announcement"]["texts"].values())))
    _warn(last["silent"], last.get("coming", 0))


@app.command(name="list")
def listed(
    why: Why,
    state: Annotated[str, typer.Option(metavar="STATE", help="idle, waiting, chatting or parted alone")] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="of this country alone: two letters")] = "",
    address: Annotated[str, typer.Option(metavar="ADDRESS", help="of this IP address alone")] = "",
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """List sessions, those that are longest in their state first, 200 at most: where, what they do, since when. Never what they say."""
    request = {
        "do": "list",
        "operator": who(operator),
        "why": why,
        "state": state,
        "country": country,
        "address": address,
    }
    last = order(config, data, request, as_json)
    if as_json:
        return
    rows = [
        (
            one["session"], one["state"] + (" by video" if one["video"] else "") + (", away" if one["away"] else ""),
            "" if one["seconds"] is None else age(one["seconds"]), one["host"] or "this", one["process"], one["country"] or "",
            "program" if one["program"] else "page", age(one["paused"]) if one["paused"] else "",
        )
        for one in last["rows"]
    ]  # fmt: skip
    table(("session", "state", "for", "host", "process", "country", "client", "video off for"), rows)
    if last["total"] > len(rows):
        say(clean(f"{len(rows)} of {last['total']}"))
    _warn(last["silent"], last.get("coming", 0))


@app.command()
def end(
    session: Session, why: Why, operator: Operator = "", config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False
) -> None:  # fmt: skip
    """End a session. The page says so, and its user may connect again: a ban is a decision about a case (serendip safety)."""
    order(config, data, {"do": "end", "session": session, "operator": who(operator), "why": why}, as_json)


@app.command(name="pause-video")
def pause_video(
    session: Session,
    why: Why,
    minutes: Annotated[int, typer.Option(min=1, max=60, help="how long, 1 to 60")] = 10,
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Pause the video of a session's user. A call that runs ends, and its chat continues by text."""
    request = {"do": "pause", "session": session, "minutes": minutes, "operator": who(operator), "why": why}
    order(config, data, request, as_json)


def announce(
    config: Any,
    data: Any,
    texts: list[str],
    prepared: str,
    at: int,
    minutes: int,
    off: bool,
    operator: str,
    as_json: bool,
) -> None:
    """Show a text to all users, or withdraw it. `texts`: `TEXT` (English) or `LANGUAGE=TEXT`; `prepared`: SOON or TROUBLE, in nine languages."""
    if sum((bool(texts), bool(prepared), off)) != 1:
        stop("what to announce: a TEXT, --prepared, or --off", status=2)
    said: dict[str, str] = {}
    for text in texts:
        language, equals, rest = text.partition("=")
        is_tagged = (
            bool(equals) and 2 <= len(language) <= 8 and language.replace("-", "").isalpha() and language[:2].islower()
        )
        said[language if is_tagged else "en"] = rest if is_tagged else text
    if prepared:
        said = _prepared(prepared, at)
    request = {"do": "announce", "operator": who(operator)} | ({} if off else {"texts": said, "minutes": minutes})
    last = order(config, data, request, as_json)
    if not as_json:
        _warn(last.get("silent"))


def _prepared(name: str, minutes: int) -> dict[str, str]:
    """Return a prepared announcement in all languages."""
    from server.http.words.sentence_formatter import said

    if name not in (SOON, TROUBLE):
        stop(f"{name}: no such announcement is prepared; they are {SOON} and {TROUBLE}", status=2)
    if name == SOON and not minutes:
        stop("when does it begin: --in MINUTES", status=2)
    return {language: t.text(BEGIN + name, time=t.moment(time.time() + 60 * minutes)) for language, t in said().items()}


def maintenance(config: Any, data: Any, on: bool, minutes: int, operator: str, as_json: bool) -> None:
    """Begin or end maintenance."""
    request = {"do": "maintenance", "on": on, "minutes": minutes, "operator": who(operator)}
    last = order(config, data, request, as_json)
    if not as_json:
        _warn(last.get("silent"))


def set_level(config: Any, data: Any, group: str, level: str, operator: str) -> None:
    """Set the level of a group of log events in all processes."""
    _warn(order(config, data, {"do": "log", "group": group, "level": level, "operator": who(operator)}).get("silent"))
