"""What a search asks for beside its words. Rule: few combinations, so those who ask alike share one object, and with it the pools that follow."""

from typing import Final

from engine.matching.tickets import Pool
from engine.wire.protocol import ANY_LANGUAGE, STRANGER

NAMES: Final = ("language", "role", "video", "strict", "relay", "share", "college", "same", "writes")
_MOST: Final = 1_024  # strangers choose the language: more than a service has


class Terms:
    """Never changed. Those of a search come from `shared`."""

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
        self.language = language  # primary subtag, or "*"
        self.role = role
        self.video = video
        self.strict = strict
        self.relay = relay
        self.share = share  # a question may be asked again
        self.college = college  # the proven domain
        self.same = same  # that college only
        self.writes = writes  # what is told of a person of any language; `*`: nothing
        self.told = language if language != ANY_LANGUAGE else writes  # the language that the partner is told
        pool = Pool("video" if video else "text", language, STRANGER, college or "")
        # `any` college also meets who wants that one only
        of_all = college is not None and not same
        self.pool = pool._replace(college="any") if of_all else pool
        self.also: tuple[Pool, ...] = (pool,) if of_all else ()  # the other pools that it looks into


_shared: dict[tuple[object, ...], Terms] = {}


def shared(fields: tuple[str, str, bool, bool, bool, bool, str | None, bool, str]) -> Terms:
    """The one object of these fields, in the order of `Terms`: it saves every waiting person a copy."""
    known = _shared
    found = known.get(fields)
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        found = known[fields] = Terms(*fields)
    return found
