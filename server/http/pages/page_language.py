"""In which language a browser is answered. Rule: the one that was chosen (`?lang=`), else the one that it likes best
of those that there are words for, else English."""

from collections.abc import Collection

from aiohttp import web
from babel.core import negotiate_locale

_TAKEN = 300  # characters of a header
# Who asks for Norwegian without saying which, or for the other one, reads this one rather than English.
_NEAR = {"no": "nb", "nn": "nb"}


def language_of(request: web.BaseRequest, known: Collection[str]) -> tuple[str, bool]:
    """In which of the `known` languages somebody is answered, and whether they chose it by `?lang=`."""
    chosen = request.query.get("lang", "")
    if chosen in known:
        return chosen, True
    return preferred(request.headers.get("Accept-Language", ""), known), False


def preferred(header: str, known: Collection[str]) -> str:
    """The best of an Accept-Language that is known, else `en`: by weight, and of the same weight the first."""
    weighed = [_weighed(part) for part in header[:_TAKEN].split(",")]
    wanted = [tag for tag, weight in sorted(weighed, key=lambda one: -one[1]) if tag and weight > 0]
    # a language without its country, behind each that has one: that is what there are words for
    tags = [name for tag in wanted for name in (tag, tag.split("-")[0])]
    return negotiate_locale(tags, known, sep="-", aliases=_NEAR) or "en"


def _weighed(part: str) -> tuple[str, float]:
    """`nb-NO;q=0.8` as a tag and its weight; what is no number weighs nothing."""
    tag, _, more = part.strip().lower().partition(";")
    name, _, value = more.strip().partition("=")
    if name.strip() != "q":
        return tag.strip(), 1.0
    try:
        return tag.strip(), float(value)
    except ValueError:
        return tag.strip(), 0.0
