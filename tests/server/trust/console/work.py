"""Make cases, and decisions by the form, for the tests of the work on cases."""

from __future__ import annotations

from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Answer, Person
from tests.server.trust.moderation.people import cases, reported, text


async def case(kit: Kit, about: int = 22, reason: str = "spam", by: int = 11, **more: object) -> str:
    """Return the id of a case with two lines."""
    said = more.pop("said", text("hello", "buy <b>this</b>"))
    return (
        await cases(kit).take(reported(by=by, about=about, reason=reason, at=int(kit.now), said=said, **more))
    ).hex()  # type: ignore[arg-type]


async def decided(person: Person, ident: str, choice: str, rule: str = "R5", **more: object) -> Answer:
    """Send a decision by the form, following redirects as a browser would."""
    data = {"choice": choice, "rule": rule, "minutes": "60", "days": "7", "words": "", **more}
    path = f"/case/{ident}/decide"
    answer = await person.post(path, **data)
    while answer.status == 307:
        answer = await person.post(answer.to, **data)
    return answer


def plain(page: str) -> str:
    """Return a page without the mark of the current place in the navigation."""
    return page.replace(' aria-current="page"', "")
