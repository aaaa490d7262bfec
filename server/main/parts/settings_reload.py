"""Apply changed settings to a running process, for those settings that need no restart (`server.ops.config.settings.RELOADED`).

**Invariant:** an invalid configuration changes nothing.
"""

import asyncio
from collections.abc import Callable

from server.main.checks.public_host_requirements import becomes_public
from server.ops import log
from server.ops.config.setting_changes import change
from server.ops.config.setting_sources import SettingsError
from server.ops.config.settings import Settings

logger = log.get()


class SettingsReload:
    """Settings reload of one process. `use` applies them; `quiet`: another process of the host logs the changes."""

    def __init__(self, settings: Settings, use: Callable[[Settings], object], *, quiet: bool = False) -> None:
        self._settings = settings
        self._use = use
        self._quiet = quiet

    async def run(self, asked: asyncio.Event, again: Callable[[], Settings]) -> None:
        """Read the settings by `again`, which raises SettingsError, whenever `asked` is set, until cancelled."""
        while True:
            await asked.wait()
            asked.clear()
            try:
                wanted = await asyncio.to_thread(again)
            except SettingsError as error:
                for problem in () if self._quiet else error.problems:  # the name only: the value may be a password
                    logger.error("config.refused", setting=problem.partition(": ")[0])
                continue
            self._settings = self._changed(wanted)
            self._use(self._settings)

    def _changed(self, wanted: Settings) -> Settings:
        """Return the settings that apply from now on, and log what changed."""
        restart = []
        if becomes_public(self._settings, wanted):  # only a start checks who is responsible for it
            restart = ["server.hosts"]
            server = wanted.server.model_copy(update={"hosts": self._settings.server.hosts})
            wanted = wanted.model_copy(update={"server": server})
        found = change(self._settings, wanted)
        if not self._quiet:
            for setting in found.taken:
                logger.info("config.changed", setting=setting)
            for setting in (*restart, *found.restart):
                logger.warning("config.restart", setting=setting)
        return found.settings
