"""Whom to call where somebody may get hurt, by country. Rule: the file says it, the program knows no number."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.engine import Session

OWN = Path(__file__).with_name("help.toml")
ANYWHERE = "anywhere"
DANGER = "danger"  # the reason with which they are told
MOST = 8  # entries of a country
LONGEST = 80  # characters of a name, a number
_place = re.compile(rf"[A-Z]{{2}}|{ANYWHERE}").fullmatch
_call = re.compile(r"[0-9+*# ()-]{2,30}", re.ASCII).fullmatch
_url = re.compile(r"https://[\x21-\x7e]{3,200}", re.ASCII).fullmatch

Entry = dict[str, str]


class Help:
    """The entries of one file; empty: our own. Raises ValueError, which names the file and what is wrong.

    `country`: two letters of an address, or None; until it is set nobody's country is known.
    """

    def __init__(self, file: str = "") -> None:
        path = Path(file) if file else OWN
        try:
            self._places = _read(tomllib.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise ValueError(f"safety.help_file: {path}: {error}") from None
        self.country: Callable[[str], str | None] = lambda _: None

    def of(self, address: str) -> list[Entry]:
        """Whom to call from an address, the nearest first: each has `name`, and `call`, `url` or both."""
        return [*self._places.get(self.country(address) or "", ()), *self._places.get(ANYWHERE, ())]

    def facts(self, kept: int) -> Callable[[Session, str], dict[str, Any]]:
        """What `reported` says beside the receipt, by the reason; `kept`: days that reports are kept, 0 where none is."""
        always = {"kept": kept} if kept else {}

        def told(session: Session, reason: str) -> dict[str, Any]:
            return always | {"help": self.of(session.address)} if reason == DANGER else always

        return told


def _read(found: dict[str, Any]) -> dict[str, list[Entry]]:
    for place, entries in found.items():
        if not _place(place):
            raise ValueError(f"{place} is not a country's two capital letters")
        if not isinstance(entries, list) or len(entries) > MOST or not all(map(_proper, entries)):
            raise ValueError(f"{place}: up to {MOST} entries with name, and call (a number), url (https) or both")
    return found


def _proper(entry: Any) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        return False
    name, call, url = entry.get("name", ""), entry.get("call"), entry.get("url")
    known = set(entry) <= {"name", "call", "url"} and (call or url) is not None
    return (
        known and 0 < len(name) <= LONGEST and (call is None or bool(_call(call))) and (url is None or bool(_url(url)))
    )
