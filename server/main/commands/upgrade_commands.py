"""Implement `serendip upgrade`: tell the running server to migrate all sessions to a new process, and print the progress.

**Invariant:** if the upgrade fails, the reason is printed and the exit status is 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import typer

from server.main.commands.command_base import clean, print_json, say, stop
from server.ops.process.control_socket import ANSWER_S, NoServer, ask


def upgrade(data: Path, program: str | None, as_json: bool) -> None:
    """Request the upgrade, and print its progress until it is done. Exits with status 1 if it was not done."""
    conclude(answer(data, {"do": "upgrade", "program": found(program)}, show=not as_json), as_json)


def answer(data: Path, request: Mapping[str, Any], show: bool) -> Mapping[str, Any]:
    """Return the last line of the server's answer; with `show` the lines before it are printed."""
    last: Mapping[str, Any] = {}
    try:
        within = ANSWER_S if request["do"] == "status" else None  # others take their time
        for line in ask(data, request, within=within):
            last = line
            for word in words(line) if show else ():
                say(clean(word))
    except NoServer as error:
        last = {"done": False, "said": str(error)}
    return last


def conclude(last: Mapping[str, Any], as_json: bool) -> NoReturn:
    """Exit with status 0 if the request was carried out, with 1 and the reason if not."""
    done = last.get("done") is True
    if as_json:
        print_json(last)
    elif not done:
        printed = [clean(str(line)) for line in last.get("printed", ())]
        stop(
            clean(last.get("said", "no reason was given")), *(["the new process printed:", *printed] if printed else ())
        )
    raise typer.Exit(0 if done else 1)


def found(program: str | None) -> str | None:
    """Return the full path of a program, without resolving symbolic links."""
    if program is None:
        return None
    there = shutil.which(program)
    if there is None:
        stop(f"{program}: no program that this user may run")
    return str(Path(there).absolute())


def words(line: Mapping[str, Any]) -> Iterator[str]:
    """Yield the printed lines for one line of the answer."""
    step = line.get("step")
    if line.get("done") is True:
        yield f"done: {_counted(line)}{line.get('seconds', 0)} s"
        if line.get("said"):
            yield str(line["said"])
    elif step == "hosts":
        hosts = line.get("hosts", 0)
        yield str(line.get("said") or f"people go to {hosts} other host{'' if hosts == 1 else 's'}")
    elif step == "starting":
        yield "starting the new process"
    elif step == "ready":
        yield f"ready: process {line.get('pid', '?')}, version {line.get('version', '?')}"
    elif step == "moving":
        yield f"{line.get('left', '?')} people left"


def _counted(line: Mapping[str, Any]) -> str:
    names = (("people", "person"), ("chats", "chat"), ("stayed", "stayed"))
    counts = [f"{line[name]} {one if line[name] == 1 else name}" for name, one in names if name in line]
    return "".join(f"{count}, " for count in counts)
