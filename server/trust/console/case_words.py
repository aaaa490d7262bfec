"""Turn cases into the texts that the console's templates show, in the moderator's language.

**Invariant:** templates get data of cases from here alone, without identities and IP addresses. Texts written by users stay as they are; stored
values (measures, reasons, kinds) are translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.data.schema.moderation_schema import OPEN
from server.http.words.sentence_formatter import Said
from server.ops.config.moderation_policy import ADULTS, AGE, APPEALS, DAY, FOR_GOOD, HOUR, MINUTE, NOTICES, WARNED
from server.ops.config.moderation_policy import reason as policy_reason
from server.trust.cases.alike_cases import CaseExcerpt
from server.trust.cases.case_queues import Crowd, ListedCase, QueueSize, ReporterRecord
from server.trust.cases.case_search import FoundCase
from server.trust.cases.picture_review import CasePicture
from server.trust.console.detection_explanations import Explanations
from server.trust.decisions.case_comments import CaseComment
from server.trust.decisions.case_work import EarlierDecision, OpenedCase, Outcome
from server.trust.decisions.second_reviews import OpenReview, SecondReview
from server.trust.evidence.chat_evidence import Evidence
from server.trust.sanctions.sanction_scale import CLOSING, Decision, Refused, length, spoken

NO_TRANSLATION: Final[Mapping[str, str]] = {}
NO_WORDS: Final[Explanations] = {}
PAUSES = (15, 60, 180, 720, 1_440)  # minutes
# A request for a second moderator, as `wanted` writes it.
_WANTED = re.compile(r"(ban) (?:(\d{1,5}) days?|for good) by (R\d)\. ?(.*)", re.S | re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chat. `at`: minutes and seconds since its first; `reported`: of the reported side; `meant`: a report marks it; `found`: rules that
    matched here first; `translated`: its translation, or empty.
    """

    at: str
    reported: bool
    meant: bool
    text: str
    found: str
    translated: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A reported chat. `cut`: earlier lines are missing; `times`: chats of the case with the same lines; `counted`: what was detected in this and
    other chats of the day, in words, and `chats`: when, in order.
    """

    mode: str
    at: str
    cut: bool
    lines: tuple[Line, ...]
    times: int = 1
    counted: str = ""
    chats: tuple[str, ...] = ()


def age(seconds: float, t: Said) -> str:
    """Return an age in its largest unit: `3 hours`."""
    for size in (DAY, HOUR, MINUTE):
        if seconds >= size:
            return t.span(int(seconds // size) * size)
    return t.text("console.moments")


def lasting(seconds: int, t: Said) -> str:
    """Return a length: `7 days`, `for good`."""
    return length(seconds).said(t)


def mode(name: str, t: Said) -> str:
    """Return the name of a kind of chat."""
    return t.text(f"saved.kind.{name}")


def reason(name: str, t: Said) -> str:
    """Return a report's reason in words."""
    return t.text(f"transparency.part.{name}")


def reasons(listed: ListedCase | OpenReview, t: Said) -> str:
    """Return a case's reasons: `threats and nudity`."""
    return t.listed([reason(name, t) for name in listed.reasons])


def measure(name: str, rule: str, t: Said) -> str:
    """Return a decision in a few words: `Ban, R5`, `Nothing follows`."""
    what = t.text(f"console.measure.{name}")
    return t.text("console.decided", measure=what, rule=rule) if rule else what


def measured(name: str, seconds: int, rule: str, t: Said) -> str:
    """Return a decision with its length: `Ban (7 days), R5`."""
    what = t.text(f"console.measure.{name}")
    return t.text("console.decided.long", measure=what, length=lasting(seconds, t), rule=rule)


def tab(count: QueueSize, now: float, t: Said) -> dict[str, object]:
    """Return a queue as its tab shows it."""
    return {
        "name": count.queue,
        "label": queue(count.queue, t),
        "open": t.number(count.open),
        "oldest": age(now - count.oldest, t) if count.open else "",
    }


def queue(name: str, t: Said) -> str:
    """Return the name of a queue."""
    return t.text(f"console.queue.{name}")


def unread(names: Iterable[str], t: Said) -> str:
    """Return the names of queues and lists without a reader, `Urgent and appeals`; or ""."""
    keys = {APPEALS: "console.appeals", NOTICES: "console.notices"}
    return t.listed([t.text(keys.get(name, f"console.queue.{name}")) for name in sorted(names)]) if names else ""


def row(listed: ListedCase, now: float, t: Said) -> dict[str, object]:
    """Return a case as the list shows it."""
    return {
        "id": listed.id,
        "reasons": reasons(listed, t),
        "reports": listed.reports,
        "mode": mode(listed.mode, t),
        "age": age(now - listed.opened, t),
        "points": round(listed.points),
        "claimed_by": listed.claimed_by,
        "passed_to": target(listed.passed_to, t),
        "crowd": "" if listed.crowd is None else crowd(listed.crowd, t),
    }


def target(name: str, t: Said) -> str:
    """Return the name of a moderator, or of a role (`@lead`), that a case is passed on to; or ""."""
    return t.text(f"console.role.{name[1:]}") if name.startswith("@") else name


def found_case(found: FoundCase, now: float, t: Said) -> dict[str, object]:
    """Return a case of a search as the list shows it."""
    state = t.text("console.search.open") if found.closed is None else measure(found.measure or "none", found.rule, t)
    return {
        "id": found.id,
        "reasons": t.listed([reason(name, t) for name in found.reasons]),
        "mode": mode(found.mode, t),
        "queue": queue(found.queue, t),
        "at": t.moment(found.opened if found.closed is None else found.closed),
        "what": state,
        "by": found.decided_by,
        "passed_to": target(found.passed_to, t) if found.closed is None else "",
    }


def comment(found: CaseComment, t: Said) -> dict[str, str]:
    """Return a comment as the page of its case shows it."""
    return {
        "at": t.moment(found.at), "by": found.by, "text": found.text, "passed_to": target(found.passed_to, t),
    }  # fmt: skip


def waits(found: OpenReview, t: Said) -> dict[str, str]:
    """Return a case open for a second review, as the list shows it."""
    return {
        "id": found.id, "reasons": reasons(found, t), "mode": mode(found.mode, t), "until": t.moment(found.until),
    }  # fmt: skip


def record(found: ReporterRecord, t: Said) -> str:
    """Return how often a reporter was right, in words."""
    if not found.known:
        return t.text("console.record.unknown")
    if not found.of:
        return t.text("console.record.none")
    return t.text("console.record.right", right=found.right, of=found.of)


def crowd(found: Crowd, t: Said) -> str:
    """Return how a case's many reports came, in words."""
    n, fresh = t.number(found.reports), t.number(found.unproven)
    length = t.span(max(MINUTE, -(-found.seconds // MINUTE) * MINUTE))
    return t.text("console.case.crowd", n=n, length=length, fresh=fresh)


def before(found: EarlierDecision, t: Said) -> str:
    """Return an earlier decision, or another open case, in words."""
    if found.state == OPEN:
        return t.text("console.case.other", at=t.moment(found.closed))
    at, what = t.moment(found.closed), measure(found.measure, found.rule, t)
    if found.state == "decided":
        return t.text("console.case.earlier", at=at, what=what)
    since = t.text(f"transparency.part.{found.state}")
    return t.text("console.case.earlier.since", at=at, what=what, state=since)


def outcome(found: Outcome, now: float, operator: str, t: Said) -> dict[str, object]:
    """Return a case's decision. `left`: seconds in which this moderator may undo it."""
    return {
        "closed": t.moment(found.closed),
        "by": found.decided_by,
        "what": told(found, t),
        "own": found.decided_by == operator,
        "left": max(0, int(found.undo - now)) if found.decided_by == operator else 0,
        "out": found.measure in CLOSING,
        "second": "" if found.second is None else second(found.second, t),
    }


def second(found: SecondReview, t: Said) -> str:
    """Return a second review in words, and whether it agrees."""
    key = "console.second.agreed" if found.agreed else "console.second.differed"
    return t.text(key, who=found.by, at=t.moment(found.at), what=measure(found.measure, found.rule, t))


def told(found: Outcome, t: Said) -> str:
    """Return a decision in a few words; also of a case that was not read in time."""
    return measure(found.measure or "none", found.rule, t)


def text(
    found: Evidence, t: Said, translations: Mapping[str, str] = NO_TRANSLATION, explained: Explanations = NO_WORDS
) -> Text:
    """Return the server's own text of a chat. `translations`: of lines, by their text; `explained`: the words in which a rule was found."""
    began = found.lines[0].at if found.lines else found.at
    lines = tuple(
        Line(
            f"{max(0, one.at - began) // 60}:{max(0, one.at - began) % 60:02}",
            one.side == found.side,
            one.marked,
            one.text,
            ", ".join(
                _hit(hit.rule, explained.get((hit.rule, one.text))) for hit in found.found if hit.number == one.number
            ),
            translations.get(one.text, ""),
        )
        for one in found.lines
    )
    counted, chats = _counted(found, t)
    return Text(mode(found.mode, t), t.moment(found.at), found.cut, lines, counted=counted, chats=chats)


def _counted(found: Evidence, t: Said) -> tuple[str, tuple[str, ...]]:
    """Return what brought the case by its number of chats in a day, in words, and the moments of the chats, in order; empty without."""
    if found.counted is None:
        return "", ()
    chats = [t.moment(at) for at in found.counted.earlier]
    chats.append(t.text("console.case.day.this", at=t.moment(found.at)))
    return t.text("console.case.day", what=reason(found.counted.name, t), n=len(chats)), tuple(chats)


def texts(
    found: Iterable[Evidence], t: Said, translations: Mapping[str, str], explained: Explanations = NO_WORDS
) -> list[Text]:
    """Return the chats of a case; those with the same lines are one."""
    shown: dict[object, Text] = {}
    for one in found:
        chat = text(one, t, translations, explained)
        same = (chat.chats, *((line.reported, line.meant, line.text, line.found) for line in chat.lines))
        shown[same] = replace(shown[same], times=shown[same].times + 1) if same in shown else chat
    return list(shown.values())


def _hit(rule: str, words: str | None) -> str:
    return f"{rule} ({words})" if words else rule


def picture(found: CasePicture, t: Said) -> dict[str, object]:
    """Return the description of a picture that is not loaded yet."""
    whose = "reported" if found.subject else "other"
    return {
        "id": found.id,
        "what": t.text(f"console.picture.{found.kind}.{whose}"),
        "at": t.moment(found.at),
        "reported": found.subject,
        "listed": found.listed,
    }


def shown(
    found: OpenedCase, now: float, t: Said, *, country: bool, opens: Callable[[str], bool] = bool,
    translations: Mapping[str, str] = NO_TRANSLATION, explained: Explanations = NO_WORDS,
) -> dict[str, object]:  # fmt: skip
    """Return a case as its page shows it. `country`: with its two letters; `opens`: whether the moderator may open cases of a queue."""
    warning = t.text("console.measure.warning")
    rules = [
        {
            "rule": rule,
            "sentence": t.text(f"rule.{rule}"),
            "step": warning if seconds == WARNED else lasting(seconds, t),
        }
        for rule, seconds in found.steps.items()
    ]
    return {
        "case": row(found.listed, now, t),
        "country": found.country if country else "",
        "program": measure(*found.program, t) if found.program else "",
        "reports": [
            (reason(one.reason, t), one.note, record(one.record, t), t.number(one.count) if one.count > 1 else "")
            for one in found.reports
        ],
        "texts": texts(found.texts, t, translations, explained),
        "shown_chats": len(found.texts),
        "chats": found.chats if found.chats > len(found.texts) else 0,
        "comments": [comment(one, t) for one in found.comments],
        "alike": found.alike,
        "pictures": [picture(one, t) for one in found.pictures],
        "child": "" if found.child is None else t.moment(found.child),
        "again": found.again,
        "earlier": [(before(one, t), one.case if opens(one.queue) else "") for one in found.earlier],
        "rules": rules,
        "rule": policy_reason(found.listed.reasons[0]).rule,
        "pauses": pauses(t),
    }


def pauses(t: Said) -> list[tuple[int, str]]:
    """Return the lengths of a pause: (minutes, in words)."""
    return [(minutes, t.span(minutes * MINUTE)) for minutes in PAUSES]


def excerpt(found: CaseExcerpt, t: Said) -> dict[str, object]:
    """Return the words of a case in a list. `alike`: how many other open cases began alike, in words, or empty."""
    return {
        "about": found.about,
        "alike": t.text("console.cases.alike", n=t.number(found.alike)) if found.alike else "",
    }


def decision(choice: str, rule: str, minutes: str, days: str, words: str) -> Decision:
    """Return the decision of a form; a step of a ladder has no length yet. Raises Refused."""
    said = " ".join(words.split())
    if choice == "none":
        return Decision("none")
    if choice == "warning":
        return Decision("warning", rule, None, said)
    if choice == "pause":
        return Decision("pause", rule, _number(minutes) * MINUTE, said)
    if choice == "days":
        return Decision("ban", rule, _number(days) * DAY, said)
    if choice == "good":
        return Decision("ban", rule, FOR_GOOD, said)
    if choice == AGE:
        return Decision(AGE, ADULTS, None, said)
    if choice == "step":
        return Decision("ban", rule, None, said)
    raise Refused("refused.choice")


def wanted(chosen: Decision) -> str:
    """Return the stored words of a request for a second moderator: in English, the same for every reader of the audit log."""
    return f"{chosen.measure} {spoken(chosen.seconds or 0)} by {chosen.rule}. {chosen.words}".strip()


def wanted_words(stored: str, t: Said) -> tuple[str, str]:
    """Return the same for a page: (decision in the reader's language, words of the author as they are)."""
    if (found := _WANTED.fullmatch(stored)) is None:
        return "", stored
    name, days, rule, words = found.groups()
    return measured(name, int(days) * DAY if days else FOR_GOOD, rule, t), words


def _number(digits: str) -> int:
    """Parse a number of a form. Raises Refused."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise Refused("refused.number")
    return int(digits)
