"""Look up the help lines of a country, for a user who reports that a person may get hurt.

**Invariant:** all telephone numbers come from a file, none from the code.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.engine import Session

OWN = Path(__file__).with_name("help.toml")
ANYWHERE = "anywhere"
DANGER = "danger"  # the reason that is answered with help lines
MOST = 8  # entries of a country
LONGEST = 80  # characters of a name, a number
_place = re.compile(rf"[A-Z]{{2}}|{ANYWHERE}").fullmatch
_call = re.compile(r"[0-9+*# ()-]{2,30}", re.ASCII).fullmatch
_url = re.compile(r"https://[\x21-\x7e]{3,200}", re.ASCII).fullmatch

Entry = dict[str, str]


def no_country(_: str) -> str | None:
    """Return that no country is known."""
    return None


class Help:
    """Help lines of one file; an empty name means the built-in file. Raises ValueError with the file's name and the fault.

    `find_country`: returns two letters for an address, or None.
    """

    def __init__(self, file: str = "", find_country: Callable[[str], str | None] = no_country) -> None:
        path = Path(file) if file else OWN
        try:
            self._places = _read(tomllib.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise ValueError(f"safety.help_file: {path}: {error}") from None
        self._find_country = find_country

    def of(self, address: str) -> list[Entry]:
        """Return the help lines of an address, nearest first: each has `name`, and `call`, `url` or both."""
        return [*self._places.get(self._find_country(address) or "", ()), *self._places.get(ANYWHERE, ())]

    def facts(self, kept: int) -> Callable[[Session, str], dict[str, Any]]:
        """Return the function of (session, reason) that gives the fields of `reported` beside the receipt. `kept`: days that reports are kept."""
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
