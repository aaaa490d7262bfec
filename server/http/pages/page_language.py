"""Choose the language of a response: the query parameter `lang`, else the best supported one of Accept-Language, else English."""

from collections.abc import Collection

from aiohttp import web
from babel.core import negotiate_locale

_TAKEN = 300  # characters of a header that are read
# Norwegian without a variant, or Nynorsk, is answered in Bokmål rather than in English.
_NEAR = {"no": "nb", "nn": "nb"}


def language_of(request: web.BaseRequest, known: Collection[str]) -> tuple[str, bool]:
    """Return one of the `known` languages for a request, and whether it was chosen by `?lang=`."""
    chosen = request.query.get("lang", "")
    if chosen in known:
        return chosen, True
    return preferred(request.headers.get("Accept-Language", ""), known), False


def preferred(header: str, known: Collection[str]) -> str:
    """Return the best known language of an Accept-Language header, else `en`: by weight, then by order."""
    weighed = [_weighed(part) for part in header[:_TAKEN].split(",")]
    wanted = [tag for tag, weight in sorted(weighed, key=lambda one: -one[1]) if tag and weight > 0]
    # add each language without its country, since the catalogues are by language
    tags = [name for tag in wanted for name in (tag, tag.split("-")[0])]
    return negotiate_locale(tags, known, sep="-", aliases=_NEAR) or "en"


def _weighed(part: str) -> tuple[str, float]:
    """Split `nb-NO;q=0.8` into tag and weight; an invalid weight is 0."""
    tag, _, more = part.strip().lower().partition(";")
    name, _, value = more.strip().partition("=")
    if name.strip() != "q":
        return tag.strip(), 1.0
    try:
        return tag.strip(), float(value)
    except ValueError:
        return tag.strip(), 0.0
