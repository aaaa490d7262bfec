"""Refuse users of the countries that the operator does not serve (`safety.refused_countries`), before a session begins.

**Invariant:** an address whose country is unknown is served, and no address is kept here: the look-up is in memory, and refusals are only counted.
"""

from collections.abc import Callable, Collection

from engine.views import error
from server.ops.metrics.metric_type import Reading


class CountryGate:
    """The refused countries of one process. `find_country`: returns two letters for an address, or None; it does not block."""

    def __init__(self, find_country: Callable[[str], str | None]) -> None:
        self._find_country = find_country
        self._refused: frozenset[str] = frozenset()
        self._frame = error("country")
        self.refusals = 0

    def use(self, countries: Collection[str]) -> bool:
        """Refuse these countries from now on. Return whether a country is refused that was served before."""
        before, self._refused = self._refused, frozenset(countries)
        return not self._refused <= before

    def refusal(self, address: str) -> bytes | None:
        """Return the closing error for a user of this address, and count it; None: the user is served."""
        if not self._refused or not address or self._find_country(address) not in self._refused:
            return None
        self.refusals += 1
        return self._frame

    def reading(self) -> Reading:
        """Return the metric."""
        return {"serendip_country_refusals": self.refusals}
