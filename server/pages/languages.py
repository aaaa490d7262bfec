"""In which language a browser is answered. Rule: the first that it asks for and that there are words for, else English."""

from collections.abc import Container


def preferred(header: str, known: Container[str]) -> str:
    """The first language of an Accept-Language that is known, else `en`. Browsers send them in their order."""
    wanted = (part.split(";")[0].split("-")[0].strip().lower() for part in header[:200].split(","))
    return next((language for language in wanted if language in known), "en")
