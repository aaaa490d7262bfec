"""Implement `serendip safety rules`: check the files of screening rules, and try rules on a line. It reads only these files: no store, no running
server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.main.commands.command_output import (
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

app = typer.Typer(no_args_is_help=True)


def _folder(settings: Settings) -> Path:
    return Path(settings.screening.rules) if settings.screening.rules else settings.data / "rules"


def _settings(config: Path | None, data: Path | None) -> Settings:
    found: Settings = read(config, {"data": data}).settings
    return found


@app.command()
def check(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Read the built-in rules and those of the folder; status 1 if a file is invalid. A running server applies changes by itself."""
    from server.trust.screening import screening_rules

    folder = _folder(_settings(config, data))
    try:
        found = screening_rules.read_rules(folder)
        files = screening_rules.rule_files(folder)
    except (screening_rules.BadRules, OSError) as error:
        stop(str(error))
    say(f"{found.phrases} phrases, {len(files)} files in {folder}: nothing is wrong")


@app.command("try")
def attempt(
    line: Annotated[str, typer.Argument(metavar="LINE", help="as somebody would say it")],
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print how a line is read, which rules match it, and what follows."""
    from engine.conduct.detection_actions import EFFECTS
    from server.trust.screening import screening_rules, text_folding

    try:
        found = screening_rules.read_rules(_folder(_settings(config, data))).find(line)
    except (screening_rules.BadRules, OSError) as error:
        stop(str(error))
    text = text_folding.fold_line(line)
    hits = [
        {
            "rule": one.rule,
            "class": one.kind.name,
            "confidence": one.kind.confidence,
            "where": one.text,
            "tip": EFFECTS[one.kind.name].tip,
            "to": EFFECTS[one.kind.name].to,
        }
        for one in found
    ]
    if as_json:
        print_json({"folded": text, "words": text_folding.find_words(text), "found": hits})
        return
    say(f"read as: {clean(text)}")
    table(
        ("rule", "class", "confidence", "where", "what follows"),
        (
            (
                hit["rule"],
                hit["class"],
                hit["confidence"],
                clean(hit["where"]),
                f"tip {hit['tip']} to the {hit['to']}" if hit["tip"] else "counted",
            )
            for hit in hits
        ),
    )
    say(f"{len(hits)} found")
