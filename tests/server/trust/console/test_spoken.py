"""Test the console in every language: direction, words, and no English left."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from server.data.retention.stale_cases import UNDO
from server.http.words.catalogue import words
from server.http.words.sentence_formatter import said
from server.ops.config.moderation_policy import DAY, HOUR
from server.trust.cases.user_appeals import Appeals
from server.trust.console.console_files import OWN
from server.trust.console.console_pages import TEMPLATES, Pages
from server.trust.decisions.second_reviews import SecondReviews
from server.trust.moderation_protocol import NoticeForm
from server.trust.moderators.example_cases import EXAMPLES
from server.trust.moderators.roles import ROLES
from server.trust.reports.illegal_content_notices import PublicNotices
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import OPTIONS, Answer, Console, Person
from tests.server.trust.console.work import case, decided
from tests.server.trust.decisions.test_public_notice_work import law_desk
from tests.server.trust.moderation.people import acted, cases, desk, pictures, text

pytestmark = pytest.mark.timeout(120)
REFERRAL = re.compile(r'<select[^>]* name="type" lang="en".*?</select>', re.S)  # the terms of the CyberTipline's API
ANSWERS = re.compile(r'<ul hidden id="answers">.*?</ul>', re.S)
LONG = 12  # characters from which a sentence is no word that two languages share
WHY = ("session", "origin", "token", "unread", "wait", "away", "fault")
WROTE = "Written by hand, and by nobody else"  # what a person wrote


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


def foreign(language: str) -> list[str]:
    """The English sentences that no page of a language says."""
    mine = {form for word in words()[language].table.values() for form in _forms(word)}
    keys = [key for key in words()["en"].table if key.startswith(("console.", "refused."))]
    english = [form for key in keys for form in _forms(words()["en"].table[key])]
    parts = [part for one in english if one not in mine for part in re.split(r"\{\w+\}", one)]
    return [part for part in parts if len(part.strip()) >= LONG and not any(part in one for one in mine)]


def _forms(word: str | dict[str, str]) -> list[str]:
    return [word] if isinstance(word, str) else list(word.values())


def whole(page: str, language: str, what: str, foreign: list[str]) -> None:
    """A page is in its language, and in no other."""
    assert f'<html lang="{language}" dir="{said()[language].direction}">' in page, what
    shown = unescape(ANSWERS.sub("", OPTIONS.sub("", page)))  # saved answers are there in all languages
    assert [one for one in foreign if one in shown] == [], what
    assert 'lang="en"' not in REFERRAL.sub("", page.partition("<main")[2].partition("</main>")[0]), what


class Tour:
    """All that a console shows. Rule: it is set up once, and asked for in one language after the other."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.pages: list[tuple[Person, str, str, dict[str, object]]] = []  # who, method, path, what is sent
        self.read = ""  # the case with what somebody wrote

    def see(self, person: Person, path: str, **data: object) -> None:
        """A page, or with data what an answer to a form shows."""
        self.pages.append((person, "POST" if data else "GET", path, data))

    async def ask(self, person: Person, method: str, path: str, data: dict[str, object], language: str) -> Answer:
        """One of them in a language."""
        form = {"token": person.token, **data} if data else None
        network = f"198.{18 + list(said()).index(language)}.0.1"  # of its own: failures count by network
        headers = {"Accept-Language": language, "X-Test-Address": network}
        return await person.ask(method, path, form, **headers)


async def toured(console: Console, kit: Kit) -> Tour:
    """Cases of each kind, a decision and an appeal of it, a ban for good that is asked for, a notice."""
    tour = Tour(console)
    zoe, ned = await console.person("zoe", *ROLES), await console.person("ned", "lead", "moderator")
    meant = replace(text("hello", WROTE), cut=True)
    meant = replace(meant, lines=(meant.lines[0], replace(meant.lines[1], marked=True)))
    shown, taken = await case(kit, reason="threat", said=meant, shown=pictures()), await case(kit, about=23)
    grave = (await cases(kit).take(acted("known", about=28, at=int(kit.now), shown=pictures()))).hex()
    without = await case(kit, about=24, reason="minor", said=None)
    judged, own, good = [await case(kit, about=about) for about in (25, 26, 27)]
    await desk(kit).decide(judged, "ned", "so", Decision("ban", "R5", DAY, WROTE))
    await desk(kit).decide(own, "zoe", "so", Decision("pause", "R5", HOUR))
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    for ident in (judged, own):
        await appeals.write(path_of(kit.pseudonyms, bytes.fromhex(ident)).rpartition("/")[2], WROTE)
    assert (await decided(zoe, good, "good", words=WROTE)).to == "/approvals"
    assert (await zoe.post(f"/case/{shown}/reveal", recipient="Police", why=WROTE, emergency="1")).status == 200
    assert (await ned.get(f"/case/{taken}")).status == 200
    await PublicNotices(kit.database, kit.pseudonyms, lambda: kit.now).write(NoticeForm("child", "", WROTE, ""))
    notice = (await law_desk(kit).waiting())[0].id
    strangers(tour, await console.accounts.invite("new", ["child"], "test"))
    await desk(kit).comment(shown, "ned", WROTE)
    await desk(kit).pass_on(without, "ned", "@child", WROTE)
    tour.read = f"/case/{shown}"
    tour.see(zoe, f"/case/{shown}/translate", sent="1")
    tour.see(zoe, f"/case/{taken}/comment", text="")
    tour.see(zoe, f"/case/{shown}/pass", to="nobody", text="x")
    for path in (
        f"/case/{shown}/alike",
        "/search",
        "/search?q=2026-13-40",
        "/search?q=2026-11-24",
        "/search?q=zz",
        "/figures",
        "/answers",
    ):
        tour.see(zoe, path)
    for number in range(1, len(EXAMPLES) + 1):
        tour.see(zoe, f"/examples/{number}", choice="ban", rule="R5")
    tour.see(zoe, "/examples/1")
    for choice in ("", "age", "step"):
        tour.see(zoe, f"/case/{shown}/alike", choice=choice)
    tour.see(zoe, "/answers", title="", text="", language="de")
    for path in ("spam", "low", f"urgent&done={own}"):
        tour.see(zoe, f"/cases?queue={path}")
    for ident in (shown, without, taken, judged, own, grave):
        tour.see(zoe, f"/case/{ident}")
    for place in ("second", "appeals", "approvals", "accounts", "notices", "nothing"):
        tour.see(zoe, f"/{place}")
    tour.see(ned, "/approvals")
    refusals(tour, zoe, shown, judged, own)
    for why in ("x", ""):
        tour.see(zoe, "/notices/show", id=notice, why=why)
    return tour


def strangers(tour: Tour, link: str) -> None:
    """What somebody sees who is not in yet. `link`: an invitation's."""
    nobody = Person(tour.console)
    for path in ("/sign-in", link, "/enrol/none"):
        tour.see(nobody, path)
    tour.see(nobody, "/sign-in", passkey="{}")
    tour.see(nobody, "/cases/next", queue="spam")


def refusals(tour: Tour, zoe: Person, shown: str, judged: str, own: str) -> None:
    """What forms are answered, of which little can be done."""
    tour.see(zoe, "/accounts/roles", name="ned")
    tour.see(zoe, "/accounts/invite", name="ned")
    for data in ({"choice": ""}, {"choice": "days", "days": "x"}, {"choice": "none", "rule": ""}):
        tour.see(zoe, f"/case/{judged}/decide", **data)
    for why in (" ", WROTE):
        tour.see(zoe, f"/case/{shown}/reveal", recipient="Police", why=why)
    tour.see(zoe, f"/case/{shown}/hold", why="x", authority="", days="9")
    tour.see(zoe, f"/case/{own}/unban", why="x")
    tour.see(zoe, f"/case/{shown}/child", why=" ")
    tour.see(zoe, f"/appeals/{own}", outcome="uphold", words="x")
    tour.see(zoe, f"/appeals/{judged}", outcome="uphold", words="")
    tour.see(zoe, "/approvals/confirm", id="zz")
    tour.see(zoe, "/sign-out", token="old")


async def test_every_page_is_whole_in_every_language(console: Console, kit: Kit) -> None:
    tour = await toured(console, kit)
    for language in said():
        left = foreign(language) if language != "en" else []
        assert language == "en" or len(left) > 150
        for person, method, path, data in tour.pages:
            answer = await tour.ask(person, method, path, data, language)
            what = f"{language} {method} {path} {answer.status}"
            assert answer.status in (200, 401, 403, 404, 409), what
            whole(answer.text, language, what, left)
            if path == tour.read and method == "GET":
                assert WROTE in answer.text, "what a person wrote stays as it is"


async def test_second_looks_are_whole_too(console: Console, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecondReviews, "drawn", staticmethod(lambda: True))
    ada, zoe = await console.person("ada", "moderator"), await console.person("zoe", *ROLES)
    idents = [await case(kit, about=about) for about in (22, 33, 44)]
    for ident in idents:
        await decided(ada, ident, "step")
    kit.now += UNDO + 1
    for ident, choice in zip(idents, ("ban", "none"), strict=False):
        assert (await zoe.post(f"/case/{ident}/second", choice=choice, rule="R5")).status == 303
    for language in said():
        left = foreign(language) if language != "en" else []
        for path in ("/second", *(f"/case/{ident}" for ident in idents)):
            answer = await zoe.get(path, **{"Accept-Language": language})
            assert answer.status == 200
            whole(answer.text, language, path, left)


async def test_what_asks_for_the_passkey_again_is_whole_too(console: Console, kit: Kit) -> None:
    zoe = await console.person("zoe", *ROLES)
    kit.now += 600
    for language in said():
        left = foreign(language) if language != "en" else []
        whole((await zoe.get("/accounts", **{"Accept-Language": language})).text, language, "prove", left)


@pytest.mark.parametrize("language", said())
def test_every_refusal_is_whole_in_every_language(language: str) -> None:
    request = make_mocked_request("GET", "/x", headers={"Accept-Language": language})
    left = foreign(language) if language != "en" else []
    pages = Pages()
    for why in WHY:
        page = pages.answer("refused.html", request, None, why=why).text
        assert page is not None
        whole(page, language, why, left)


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("*.html")))
def test_no_template_has_words_of_its_own(template: str) -> None:
    source = (TEMPLATES / template).read_text("utf-8")
    source = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", source, flags=re.S)
    attributes = re.findall(r'\b(?:aria-label|title|placeholder|alt|data-label)="([^"]+)"', source)
    assert attributes == []
    bare = re.sub(r"<kbd>[A-Z0-9]</kbd>|<[^>]*>", " ", source)
    assert not re.search(r"[^\W\d_]", bare), bare.strip()


@pytest.mark.parametrize("style", ["console.css", "casework.css"])
def test_a_style_knows_beginning_and_end_and_neither_left_nor_right(style: str) -> None:
    rules = re.sub(r"/\*.*?\*/", "", (OWN / style).read_text("utf-8"), flags=re.S)
    assert re.findall(r"\b(?:left|right)\b", rules) == []
    assert re.findall(r"(?:padding|margin):(?: [^;\s]+){4};", rules) == []
