"""What a running server takes up from changed settings, and what needs a restart. Rule: a wrong configuration changes nothing.

Which settings can change is declared beside them (`server.ops.config.settings.RELOADED`).
"""

from typing import Any, NamedTuple

from server.ops.config.settings import RELOADED, Settings
from server.ops.config.sources import leaves


class Change(NamedTuple):
    """`settings`: what holds from now on; `taken`: the settings that changed; `restart`: those that would need one."""

    settings: Settings
    taken: list[str]
    restart: list[str]


def change(present: Settings, wanted: Settings) -> Change:
    """From the settings that hold to those that were read anew."""
    before = {name: value for name, (value, _) in leaves(present)}
    differing = {name: value for name, (value, _) in leaves(wanted) if value != before[name]}
    taken = {name: value for name, value in differing.items() if name in RELOADED}
    sections: dict[str, dict[str, Any]] = {}
    for name, value in taken.items():
        section, _, leaf = name.partition(".")
        sections.setdefault(section, {})[leaf] = value
    update = {section: getattr(present, section).model_copy(update=values) for section, values in sections.items()}
    return Change(present.model_copy(update=update), list(taken), [name for name in differing if name not in taken])
