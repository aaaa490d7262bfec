"""Look up the country of an IP address, for moderation only.

**Invariant:** the table is in this process, so no address is sent elsewhere, and the result is no finer than a country.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import iptocc
import maxminddb

from server.data.keys.pseudonyms import canonical
from server.ops import log

logger = log.get()


class Countries:
    """Look-up in the built-in table, or in the operator's mmdb file. Private and reserved addresses have no country."""

    def __init__(self, mmdb: str = "") -> None:
        """Raises ValueError for an unusable file."""
        try:
            self._reader = maxminddb.open_database(mmdb) if mmdb else None
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            why = "is no mmdb file" if isinstance(error, maxminddb.InvalidDatabaseError) else error.strerror
            raise ValueError(f"store.country_file: {mmdb}: {why}") from None
        self._damaged = False

    def find(self, address: str) -> str | None:
        """Return two capital letters, or None if unknown, if the address is unreadable, or if the file is damaged there."""
        try:
            plain = canonical(address)
        except ValueError:
            return None
        if self._reader is None:
            return iptocc.country_code(plain)  # knows no private or reserved range (a test asserts it)
        try:
            found = _of_record(self._reader.get(plain))
        except maxminddb.InvalidDatabaseError as error:  # the header was valid, this part is not
            if not self._damaged:
                logger.error("store.countries_damaged", **log.described(error))
            self._damaged = True
            return None
        usable = (
            isinstance(found, str) and len(found) == 2 and found.isalpha() and ipaddress.ip_address(plain).is_global
        )
        return str(found).upper() if usable else None

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()


def _of_record(record: Any) -> Any:
    """Return the code in an mmdb record of the usual spellings: country.iso_code, country_code, or country as text."""
    if not isinstance(record, dict):
        return None
    country = record.get("country")
    if isinstance(country, dict):
        country = country.get("iso_code")
    return record.get("country_code") or country
