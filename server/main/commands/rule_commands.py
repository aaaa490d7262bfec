"""Implement `serendip safety rules`: check the files of screening rules, and try rules on a line or on lines of standard input.

It reads only these files: no store, no running server. **Invariant:** a line of standard input is answered before the next one is read, whatever
it holds; memory is bounded by LINE_MAX.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer

from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import consequence_of
from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    clean,
    print_json,
    read,
    say,
    stop,
    table,
)
from server.ops.config.settings import Settings
from server.trust.screening.consequence_words import words_of

app = typer.Typer(no_args_is_help=True)
LINE_MAX: Final = 16 * 1024  # bytes of a line of standard input; a chat line has 2,000 characters at most
# `rule`, its `class` and `confidence`, `where` (the text that matched), `follows`; of a provider `score`, from 0 to 1
Found = dict[str, str]
Source = Callable[[str], list[Found]]


def _settings(config: Path | None, data: Path | None) -> Settings:
    found: Settings = read(config, {"data": data}).settings
    return found


@app.command()
def check(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Read the built-in rules and those of the folder; status 1 if a file is invalid. A running server applies changes by itself."""
    from server.trust.screening import rule_compiler, screening_rules

    settings = _settings(config, data)
    folder = settings.screening.folder(settings.data)
    try:
        found = screening_rules.read_rules(folder)
        files = rule_compiler.rule_files(folder)
    except (rule_compiler.BadRules, OSError) as error:
        stop(str(error))
    if as_json:
        print_json({"phrases": found.phrases, "files": len(files), "folder": str(folder)})
    else:
        say(f"{found.phrases} phrases, {len(files)} files in {folder}: nothing is wrong")


@app.command("try")
def attempt(
    line: Annotated[
        str, typer.Argument(metavar="LINE", help="as a user would write it; - reads lines from standard input")
    ],
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print how a line is read, which rules match it, and what follows.

    With - each line of standard input is answered at once by one line: with --json a document {"line": 1, "found": [{"rule", "where", "follows"}]},
    else its number and what was found, tab-separated. A line that is too long or not UTF-8 has an "error" in place of "found".
    """
    from server.trust.screening import rule_compiler, text_folding, text_model
    from server.trust.text_provider.provider_program import Misbehaved

    with contextlib.ExitStack() as stack:
        try:
            find = _source(_settings(config, data), stack)
        except Misbehaved as error:
            stop(f"screening.provider: {error}")
        except (rule_compiler.BadRules, text_model.BadModel, OSError) as error:
            stop(str(error))
        try:
            if line == "-":
                _answer_lines(sys.stdin.buffer, find, _print_document if as_json else _print_row)
                return
            hits = find(line)
        except Misbehaved as error:
            stop(f"screening.provider: {error}")
    text = text_folding.fold_line(line)
    if as_json:
        print_json({"folded": text, "words": text_folding.find_words(text), "found": hits})
        return
    say(f"read as: {clean(text)}")
    columns = ("rule", "class", "confidence", "where")
    table((*columns, "what follows"), ([hit[name] for name in (*columns, "follows")] for hit in hits))
    say(f"{len(hits)} found")


def _source(settings: Settings, stack: contextlib.ExitStack) -> Source:
    """Return what a running server finds: by the rules of this program and of the operator, by the text model and the provider of text if the
    settings have them. A finding of these has for `where` the words that brought it. `stack` ends the provider. Raises BadRules, BadModel, OSError,
    Misbehaved.
    """
    from server.trust.screening.rule_cache import kept_phrases
    from server.trust.screening.screening_rules import read_rules, wanted_classes
    from server.trust.screening.text_model import OFF, read_use

    folder = settings.screening.folder(settings.data)
    wanted = wanted_classes(settings.screening.text, settings.screening.off)
    # Compiled anew without a file: written by the user of this command, one would be refused by the server's.
    rules, model = read_rules(folder, wanted, kept_phrases(settings.data)), settings.screening.model
    use = None if model == OFF else read_use(model, wanted)
    provider = _provider(settings, stack)

    def find(line: str) -> list[Found]:
        detections, beginning = rules.find_and_fold(line)
        found = [_found(one.rule, one.text) for one in detections]
        if use is not None:
            for rule in use.rules(beginning, [one.kind for one in detections]):
                found.append(_found(rule, ", ".join(use.explain(beginning, rule))))
        return found if provider is None else found + provider(line)

    return find


def _provider(settings: Settings, stack: contextlib.ExitStack) -> Source | None:
    """Return what the provider of text finds, which runs until the end of `stack`; None without one. Raises OSError, Misbehaved."""
    if not settings.screening.asks_provider:
        return None
    from server.data.statement.recipient_check import refusal
    from server.trust.text_provider.provider_trial import ProviderTrial

    if said := refusal(settings):
        stop(said)
    trial = stack.enter_context(ProviderTrial(settings.screening, show_errors=True))
    return lambda line: [_found(rule, one.words) | {"score": f"{one.confidence:.2f}"} for rule, one in trial.find(line)]


def _found(rule: str, where: str) -> Found:
    kind = RULES[rule]
    return {
        "rule": rule,
        "class": kind.name,
        "confidence": kind.confidence,
        "where": where,
        "follows": words_of(consequence_of(rule)),
    }


def _answer_lines(lines: BinaryIO, find: Source, answer: Callable[[dict[str, Any]], None]) -> None:
    """Answer each line before the next one is read. A line of more than LINE_MAX bytes is read to its end without keeping it."""
    for number in count(1):
        raw = lines.readline(LINE_MAX + 2)  # with its line break
        if not raw:
            return
        body = raw.removesuffix(b"\n").removesuffix(b"\r")
        document: dict[str, Any] = {"line": number}
        if len(body) > LINE_MAX:
            while raw and not raw.endswith(b"\n"):
                raw = lines.readline(LINE_MAX)
            document["error"] = f"longer than {LINE_MAX} bytes"
        else:
            try:
                document["found"] = find(body.decode("utf-8"))
            except UnicodeDecodeError:
                document["error"] = "not UTF-8"
        try:
            answer(document)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # its buffer is flushed once more at the end
            return


def _print_document(document: dict[str, Any]) -> None:
    print_json(document, one_line=True)


def _print_row(document: dict[str, Any]) -> None:
    found = [f"{clean(hit['rule'])}: {clean(hit['where'])} ({hit['follows']})" for hit in document.get("found", ())]
    say(f"{document['line']}\t{'; '.join(found) or document.get('error', '-')}")
