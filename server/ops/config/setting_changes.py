"""Compare a changed configuration with the one in use: which settings a running server applies (RELOADED), and which need a restart.

**Invariant:** an invalid configuration changes nothing.
"""

# RELOADED is in `server.ops.config.settings`.

from typing import Any, NamedTuple

from server.ops.config.setting_sources import leaves
from server.ops.config.settings import RELOADED, Settings


class Change(NamedTuple):
    """Result of a reload. `settings`: those now in force; `taken`: names of the settings that changed; `restart`: those that need a restart."""

    settings: Settings
    taken: list[str]
    restart: list[str]


def change(present: Settings, wanted: Settings) -> Change:
    """Compare the settings in force with newly read ones."""
    before = {name: value for name, (value, _) in leaves(present)}
    differing = {name: value for name, (value, _) in leaves(wanted) if value != before[name]}
    taken = {name: value for name, value in differing.items() if name in RELOADED}
    sections: dict[str, dict[str, Any]] = {}
    for name, value in taken.items():
        section, _, leaf = name.partition(".")
        sections.setdefault(section, {})[leaf] = value
    update = {section: getattr(present, section).model_copy(update=values) for section, values in sections.items()}
    return Change(present.model_copy(update=update), list(taken), [name for name in differing if name not in taken])
