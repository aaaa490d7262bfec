"""Serve the pages of case work: the queues, a case, the form of its decision.

**Invariant:** opening a case claims it for the moderator; only the role `child` sees the urgent queue (apparent child abuse material).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from server.data.errors import ObjectsAway
from server.http.request.forms import Form
from server.http.words.worded_errors import Worded
from server.ops.config.moderation_policy import AGE, PEOPLE, QUEUES, URGENT
from server.trust.cases.case_base import Taken
from server.trust.cases.case_queues import QueueSize
from server.trust.child_protection import referral_package
from server.trust.console import case_words, chat_translation
from server.trust.console.appeal_routes import add_appeals
from server.trust.console.batch_routes import add_batches
from server.trust.console.case_access import CASE, CasePages, CaseParts, may_see
from server.trust.console.case_picture_routes import add_pictures
from server.trust.console.case_words import NO_TRANSLATION
from server.trust.console.comment_routes import add_comments, targets
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.console.disclosure_routes import add_disclosures
from server.trust.console.figure_routes import add_figures
from server.trust.console.practice_case_routes import add_examples
from server.trust.console.saved_answer_routes import add_answers
from server.trust.console.search_routes import add_search
from server.trust.console.second_review_routes import add_second_reviews
from server.trust.decisions.case_comments import Claim
from server.trust.moderators import moderator_accounts
from server.trust.moderators.approvals import State
from server.trust.moderators.break_reminders import Shifts
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Beyond, Decision, Grade, Refused

WHY = "work in the console"
PATHS = {Grade.LEAD: (Action.LONG, "long"), Grade.PAIR: (Action.FOREVER, "pair")}


class CaseRoutes:
    """Handlers.

    Everything works by forms alone; `casework.js` adds keys. A decision that needs a higher grade is redirected, unchanged, to that grade's path,
    so that the gate requires role and passkey.
    """

    def __init__(self, pages: CasePages, spoken: Pages, parts: CaseParts) -> None:
        self._languages = spoken.said
        self._pages = pages
        self._accounts = parts.accounts
        self._answers = parts.answers
        self._desk = parts.desk
        self._approvals = parts.approvals
        self._translator = parts.translator
        self._words = parts.words

    async def cases(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /cases?queue=…`: one queue, and the counts of all that this moderator may see."""
        queue, now, t = request.query.get("queue", PEOPLE), self._desk.now, self._pages.spoken(request)
        counts = await self._desk.counts()
        if not operator.may(Action.CHILD):
            del counts[URGENT]
        if queue not in counts:
            return self._pages.missing(request, operator)
        listed = await self._desk.cases(queue)
        words = await self._desk.excerpts(queue, listed, operator.name, WHY)
        shown = [one for one in listed if words[one.id].first]
        rows = [case_words.row(one, now, t) | case_words.excerpt(words[one.id], t) for one in shown]
        unread = await self._accounts.unread() if operator.may(Action.HOLD) else frozenset()
        return self._pages.answer(
            "cases.html", request, operator, tabs=[case_words.tab(one, now, t) for one in counts.values()], queue=queue,
            label=case_words.queue(queue, t), open=counts[queue].open, rows=rows, listed=len(listed),
            unread=case_words.unread(unread, t), done=await self._done(request, operator),
            present=await self._present(operator), passed=await self._desk.passed_count(operator.name, operator.roles),
            following=_following(queue, counts),
        )  # fmt: skip

    async def _present(self, operator: Operator) -> list[Claim]:
        """Return the claims of other moderators, in queues that this one may see."""
        return [one for one in await self._desk.claims() if one.by != operator.name and may_see(one.queue, operator)]

    async def first(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /cases/next`: claim the first case of a queue."""
        queue = sent(request).get("queue")
        if queue not in QUEUES or not may_see(queue, operator):
            return self._pages.missing(request, operator)
        return await self._onward(queue, operator)

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /case/ID`: claim it for 15 minutes, and show it."""
        return await self._case(request, operator)

    async def release(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/release`: release it, and claim the next."""
        ident = request.match_info["case"]
        await self._desk.release(ident, operator.name)
        return await self._onward(await self._desk.queue_of(ident), operator, after=ident)

    async def undo(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/undo`: undo one's own decision."""
        ident = request.match_info["case"]
        try:
            await self._desk.undo(ident, operator.name)
        except Refused as why:
            return self._pages.refused(request, operator, why)
        return redirect(f"/case/{ident}")

    async def decide(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/decide`: `choice`, `rule`, `minutes`, `days`, `words`."""
        return await self._decide(request, operator, Grade.OPERATOR)

    async def decide_long(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/decide/long`: the same, up to 90 days."""
        return await self._decide(request, operator, Grade.LEAD)

    async def decide_pair(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/decide/pair`: beyond that; the first call requests a second moderator's approval, the next one decides."""
        ident = request.match_info["case"]
        try:
            chosen = await self._chosen(request, operator)
            # all that the second moderator confirms
            what = f"{chosen.measure} {chosen.rule} {chosen.seconds} {chosen.words}"
            subject = bytes.fromhex(ident) + hashlib.sha256(what.encode()).digest()[:16]
            if not (await self._approvals.find(Action.FOREVER, subject, operator)).may:
                return await self._ask(request, operator, ident, subject, case_words.wanted(chosen))
        except Refused as why:
            return await self._case(request, operator, problem=why)
        return await self._decide(request, operator, Grade.PAIR)

    async def _ask(
        self, request: web.Request, operator: Operator, ident: str, subject: bytes, words: str
    ) -> web.StreamResponse:
        """Request approval of another moderator, and release the case so that they can open it."""
        state = await self._approvals.find(Action.FOREVER, subject, operator)
        try:
            if state not in (State.ASKED, State.WAITING):
                await self._approvals.ask(operator, Action.FOREVER, subject, words)
        except moderator_accounts.Refused as why:
            return await self._case(request, operator, problem=why)
        await self._desk.release(ident, operator.name)
        return redirect("/approvals")

    async def _decide(self, request: web.Request, operator: Operator, grade: Grade) -> web.StreamResponse:
        ident = request.match_info["case"]
        try:
            chosen = await self._chosen(request, operator)
            if chosen.measure == AGE and not operator.may(Action.CHILD):
                raise Refused("refused.age")
            await self._desk.decide(ident, operator.name, WHY, chosen, grade)
        except Beyond as why:
            action, path = PATHS[why.grade]
            if why.grade > grade and operator.may(action):
                raise web.HTTPTemporaryRedirect(f"/case/{ident}/decide/{path}") from None
            return await self._case(request, operator, problem=why)
        except Refused as why:
            return await self._case(request, operator, problem=why)
        return await self._onward(await self._desk.queue_of(ident), operator, done=ident)

    async def _answer(self, form: Form, operator: Operator) -> str:
        """Return the text of the saved answer that a form names, or ""."""
        name, language = form.get("answer"), form.get("language")
        if not name or language not in self._languages:
            return ""
        known = {one.id: one.texts for one in await self._answers.answers(operator.name, self._languages, language)}
        texts = known.get(name, {})
        return texts.get(language) or next(iter(texts.values()), "")

    async def _chosen(self, request: web.Request, operator: Operator) -> Decision:
        """Return the form's decision, with the length of the ladder's step. Raises Refused."""
        form = sent(request)
        words = form.get("words") or (await self._answer(form, operator) if form.get("choice") != "none" else "")
        chosen = case_words.decision(form.get("choice"), form.get("rule"), form.get("minutes"), form.get("days"), words)
        return await self._desk.stepped(request.match_info["case"], chosen)

    async def _onward(self, queue: str, operator: Operator, *, after: str = "", done: str = "") -> web.StreamResponse:
        """Redirect to the next case of a queue, or to the list. `done`: the case just decided."""
        if not may_see(queue, operator):  # the case was passed on to child protection a moment ago
            return redirect("/cases")
        ident = await self._desk.next(queue, operator.name, after, operator.roles)
        more = {"done": done} if done else {}
        return redirect(f"/case/{ident}", **more) if ident else redirect("/cases", queue=queue, **more)

    async def _done(self, request: web.Request, operator: Operator) -> dict[str, object] | None:
        """Return this moderator's decision of a moment ago, if the address names it and it may be undone: of a case, or of a batch."""
        if batch := request.query.get("batch", ""):
            some = await self._desk.batch(batch, operator.name)
            closed = request.query.get("left", "")
            left = int(closed) if closed.isascii() and closed.isdigit() and len(closed) < 5 else 0
            first = await self._desk.undoable_decision(some[0], operator.name) if some else None
            until = first.undo - self._desk.now if first else 0
            return {"batch": batch, "n": len(some), "missed": left, "left": until} if first else None
        try:
            ident = request.query.get("done", "")
            found = await self._desk.undoable_decision(ident, operator.name) if ident else None
        except Refused:
            return None
        if found is None:
            return None
        return {
            "id": ident,
            "what": case_words.told(found, self._pages.spoken(request)),
            "left": max(0, found.undo - self._desk.now),
        }

    async def translate(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/translate`: show the case with its lines in the moderator's language."""
        return await self._case(request, operator, translated=True)

    async def _case(
        self, request: web.Request, operator: Operator, problem: Worded | None = None, *, translated: bool = False
    ) -> web.StreamResponse:
        """Show a case, and claim it if it is open. `problem`: why nothing was done."""
        ident, now, t = request.match_info["case"], self._desk.now, self._pages.spoken(request)
        queue = await self._desk.queue_of(ident)
        try:
            await self._desk.claim(ident, operator.name)
        except Taken as why:
            return self._pages.refused(request, operator, why, queue=queue)
        except Refused:
            pass  # it is closed: it can still be read
        try:
            found = await self._desk.show(ident, operator.name, WHY)
        except ObjectsAway:
            return self._pages.answer("refused.html", request, operator, status=503, why="away")
        outcome, translations = found.outcome, NO_TRANSLATION
        if translated and self._translator is not None:
            translations = await chat_translation.translations(self._translator, found.texts, t.language)
        return self._pages.answer(
            "case.html", request, operator, status=409 if problem else 200, problem=problem, queue=queue,
            label=case_words.queue(queue, t), done=await self._done(request, operator),
            outcome=None if outcome is None else case_words.outcome(outcome, now, operator.name, t),
            may={action.value: operator.may(action) for action in Action},
            translated=translated and bool(translations), untranslated=translated and not translations,
            translates=self._translator is not None,
            answers=await self._answers.answers(operator.name, self._languages, t.language),
            incidents=referral_package.offered(bool(found.pictures)),
            targets=[(one, case_words.target(one, t)) for one in await targets(self._accounts, queue, operator)],
            **case_words.shown(
                found, now, t, country=queue == URGENT, opens=lambda name: may_see(name, operator),
                translations=translations, explained=await self._words.explain(found.texts),
            ),
        )  # fmt: skip


def _following(queue: str, counts: Mapping[str, QueueSize]) -> str:
    """Return the next queue after this one that has cases, or ""."""
    names = list(counts)
    place = names.index(queue)
    return next((name for name in names[place + 1 :] + names[:place] if counts[name].open), "")


def redirect(path: str, **query: str) -> web.Response:
    """Return a redirect (303) with a query."""
    return web.Response(status=303, headers={"Location": f"{path}?{urlencode(query)}" if query else path})


def add_casework(gate: Gate, pages: Pages, parts: CaseParts) -> None:
    """Add the routes of cases and of everything that moderators do with them."""
    desk = parts.desk
    cases = CasePages(gate, pages, desk, Shifts(lambda: desk.now))
    work = CaseRoutes(cases, pages, parts)
    pages.offer("/cases", "console.cases", Action.WORK)
    gate.add("GET", "/cases", Action.WORK, work.cases)
    gate.add("POST", "/cases/next", Action.WORK, work.first)
    for method, path, action, handler in (
        ("GET", "", Action.WORK, work.show),
        ("POST", "/release", Action.WORK, work.release),
        ("POST", "/undo", Action.WORK, work.undo),
        ("POST", "/decide", Action.WORK, work.decide),
        ("POST", "/translate", Action.WORK, work.translate),
        ("POST", "/decide/long", Action.LONG, work.decide_long),
        ("POST", "/decide/pair", Action.FOREVER, work.decide_pair),
    ):
        gate.add(method, CASE + path, action, cases.of_a_case(handler))
    add_comments(gate, cases, desk, parts.accounts)
    add_batches(gate, cases, desk)
    add_second_reviews(gate, pages, cases, desk)
    add_appeals(gate, pages, cases, desk)
    add_disclosures(gate, cases, desk, parts.approvals)
    add_pictures(gate, cases, desk)
    add_search(gate, pages, cases, desk)
    add_figures(gate, pages, cases, desk)
    add_answers(gate, pages, parts.answers)
    add_examples(gate, pages, cases)
