"""Share one object among searches with equal terms: language, role, mode, college and so on, everything but the interests.

Few combinations exist, so sharing saves memory. The pools that a search looks into follow from its terms.
"""

from typing import Final

from engine.matching.tickets import Pool
from engine.wire.protocol import ANY_LANGUAGE, STRANGER

NAMES: Final = ("language", "role", "video", "strict", "relay", "share", "college", "same", "writes")
_MOST: Final = 1_024  # users choose the language; more combinations than a service has


class Terms:
    """Terms of a search, immutable; made by `shared`."""

    __slots__ = (
        "also",
        "college",
        "language",
        "pool",
        "relay",
        "role",
        "same",
        "share",
        "strict",
        "told",
        "video",
        "writes",
    )

    def __init__(
        self,
        language: str,
        role: str,
        video: bool,
        strict: bool,
        relay: bool,
        share: bool,
        college: str | None,
        same: bool,
        writes: str = ANY_LANGUAGE,
    ) -> None:
        self.language = language  # primary subtag, or `*`
        self.role = role
        self.video = video
        self.strict = strict
        self.relay = relay
        self.share = share  # the question may be asked again
        self.college = college  # proven domain
        self.same = same  # only this college
        self.writes = writes  # language shown to the partner if `language` is `*`; `*`: none
        self.told = language if language != ANY_LANGUAGE else writes  # language shown to the partner
        pool = Pool("video" if video else "text", language, STRANGER, college or "")
        # `any` college also matches users who want that one only
        of_all = college is not None and not same
        self.pool = pool._replace(college="any") if of_all else pool
        self.also: tuple[Pool, ...] = (pool,) if of_all else ()  # the other pools to search


_shared: dict[tuple[object, ...], Terms] = {}


def shared(fields: tuple[str, str, bool, bool, bool, bool, str | None, bool, str]) -> Terms:
    """Return the one object with these fields, in the order of `Terms`: this saves every waiting session a copy."""
    known = _shared
    found = known.get(fields)
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        found = known[fields] = Terms(*fields)
    return found
