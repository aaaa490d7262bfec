"""Build the privacy statement of one deployment as plain values in one language, from the registry and the settings.

The page, `/api/privacy`, the stored versions and the answers to access requests all use these values. **Invariant:** disabled features do not
appear, and a text without a current translation is in English, marked `lang`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_history import current, days_of
from server.data.privacy.registry_model import (
    BrowserStore,
    Category,
    Column,
    Contract,
    Cookie,
    Days,
    Export,
    For,
    Forever,
    HandedOn,
    Item,
    Memory,
    ObjectPrefix,
    Recipient,
    Registry,
    Text,
)
from server.data.statement.enabled_features import features, holds
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import Said
from server.http.words.sentence_formatter import said as spoken
from server.ops.config.recipient_settings import Recipient as Provider
from server.ops.config.settings import UNNAMED, Retention, Settings

NEEDS = {
    Recipient.RELAY: "mail",
    Recipient.TURN: "ice",
    Recipient.TRANSLATION: "translation",
    Recipient.CAPTCHA: "captcha",
}  # recipients that get nothing if this feature is disabled
OF_STORE = (Recipient.HOSTING, Recipient.POLICE, Recipient.COURT, Recipient.LINK, Recipient.CHILDREN)
PROVIDERS = {
    "hosting": Recipient.HOSTING,
    "objects": Recipient.HOSTING,
    "backup": Recipient.HOSTING,
    "moderation": Recipient.MODERATION,
    "mail": Recipient.RELAY,
    "turn": Recipient.TURN,
    "translation": Recipient.TRANSLATION,
    "captcha": Recipient.CAPTCHA,
}  # "disclosed for a business purpose": the recipient that a kind of `[[recipients]]` means
UNNAMED_PROVIDER = "none is named"  # in place of a contract, if the deployment names no provider
REQUEST = "/privacy/request"  # the page for requests; served if the store is enabled
LASTS = "120 days after your last visit"  # server.ops.security.identity_cookie
CLOSED = dict.fromkeys(
    ("report.closed", "case.closed", "case_subject.closed", "appeal.closed", "law_notice.closed", "request.closed"),
    "the decision about it",
) | {
    "ban.until": "its end",
    "approval.asked": "the request",
    "case_comment.at": "it was written",
    "deletion.asked": "the request",
    "deletion_notice.at": "it was passed on",
    "emergency_review.at": "it was passed on",
    "law_order.ends": "the answer, or the end of its secrecy",
    "disclosure_subject.since": "the disclosure, or the end of its secrecy",
    "request_answer.at": "the answer",
    "agent_use.at": "the use",
    "request_mail.at": "the mail",
    "notice.since": "the day it was given",
}


def document(settings: Settings, language: str = "en", registry: Registry = REGISTRY) -> dict[str, Any]:
    """Return the content of the statement, without its version, which `server.data.statement.statement_versions` adds. Raises NotReleased."""
    on = features(settings)
    items = [item for item in registry.items if _there(item, on)]
    rows = [_item(item, settings.retention, on) for item in items]
    gets = {word for row in rows for word in row["recipients"]}
    named = named_providers([one.kind for one in settings.recipients])
    operator = settings.operator
    return {
        "registry": {"version": current().number, "date": current().date},
        "language": language,
        "features": sorted(on),
        "operator": {
            "name": _who(operator.name, spoken()[language]),
            "email": operator.email,
            "address": operator.address,
            "country": operator.country,
            "officer": operator.officer,
            "representative": operator.representative,
            "authority": operator.authority,
        },
        "retention": {"days": settings.retention.days, "backup_days": settings.retention.backup_days},
        "categories": [_category(one, items, rows, named) for one in Category if one is not Category.NONE],
        "items": rows,
        "recipients": [
            _contract(contract, named) for contract in registry.contracts if contract.recipient.value in gets
        ],
        "providers": [_provider(one, settings) for one in settings.recipients],
        "texts": [said(text, settings, language) for text in registry.texts if holds(text.needs, on)],
    }


def named_providers(kinds: Iterable[str]) -> frozenset[Recipient]:
    """Return the recipients of which a deployment names at least one. `kinds`: the kinds of its `[[recipients]]`."""
    return frozenset(PROVIDERS[kind] for kind in kinds if kind in PROVIDERS)


def _contract(contract: Contract, named: frozenset[Recipient]) -> dict[str, str]:
    """Return a recipient with its contract; of a kind of provider that is not named, nothing is claimed."""
    who = contract.recipient
    known = who in named or who not in PROVIDERS.values()
    return {
        "recipient": who.value,
        "contract": contract.contract if known else UNNAMED_PROVIDER,
        "deletes": contract.deletes if known else "",
    }


def said(text: Text, settings: Settings, language: str) -> dict[str, str]:
    """Return a text in a language, filled from settings; in English, marked so, if that language lacks it."""
    t, title, body = spoken()[language], f"declared.{text.key}.title", f"declared.{text.key}"
    if not (t.translates(title, text.title) and t.translates(body, text.body)):
        names = _names(settings, spoken()[ENGLISH])
        return {"key": text.key, "lang": ENGLISH, "title": text.title, "body": text.body.format_map(names)}
    return {"key": text.key, "lang": language, "title": t.text(title), "body": t.text(body, **_names(settings, t))}


def _names(settings: Settings, t: Said) -> dict[str, str]:
    """Return the values of the names in braces."""
    operator = settings.operator
    known = [way for way in (operator.email, operator.address) if way]
    written = t.listed(known, "or") if known else t.text("privacy.nowhere")
    served = settings.store.enabled
    if served:
        ask = (
            t.text("privacy.ask.page", page=REQUEST, reach=written)
            if known
            else t.text("privacy.ask.here", page=REQUEST)
        )
    else:
        ask = t.text("privacy.ask", reach=written)
    return {
        "operator": _who(operator.name, t),
        "reach": written if known or not served else REQUEST,
        "ask": ask,
        "authority": operator.authority or t.text("privacy.authority"),
        "country": operator.country or t.text("privacy.country"),
        "days": str(settings.retention.days),
        "backup": str(settings.retention.backup_days),
    }


def _who(name: str, t: Said) -> str:
    return t.text("privacy.unnamed") if name == UNNAMED else name


def _there(item: Item, on: frozenset[str]) -> bool:
    """Return whether this deployment has an item: its feature is enabled, and it is stored in at least one place."""
    return holds(item.needs, on) and bool(_places(item, on))


def _places(item: Item, on: frozenset[str]) -> list[Any]:
    """Return the places of an item in this deployment. Without a store, only the browser holds items that would be stored."""
    if "store" in on or not any(isinstance(place, Column | ObjectPrefix) for place in item.places):
        return [place for place in item.places if not isinstance(place, HandedOn) or holds(NEEDS.get(place.to, ""), on)]
    return [place for place in item.places if isinstance(place, Cookie | BrowserStore)]


def _recipients(item: Item, on: frozenset[str]) -> list[Recipient]:
    stored = "store" in on
    return [who for who in item.recipients if (stored or who not in OF_STORE) and holds(NEEDS.get(who, ""), on)]


def _item(item: Item, retention: Retention, on: frozenset[str]) -> dict[str, Any]:
    bare = "store" not in on and bool(item.bare)
    export, why = (Export.BROWSER, "yes: delete the cookie") if bare else (item.export, item.delete.why)
    return {
        "key": item.key,
        "categories": [c.name for c in item.categories],
        "what": item.bare if bare else item.what,
        "sources": [s.value for s in item.sources],
        "purposes": [p.value for p in item.purposes],
        "basis": item.basis.value,
        "recipients": [r.value for r in _recipients(item, on)],
        "kept": LASTS if bare else keep_words(item, retention),
        "places": list(dict.fromkeys(place_words(place) for place in _places(item, on))),
        "exported": export.value,
        "deletable": bare or item.delete.can,
        "deletable_why": why,
        "held": item.hold and not bare,
    }


def _category(
    category: Category, items: list[Item], rows: list[dict[str, Any]], named: frozenset[Recipient]
) -> dict[str, Any]:
    """Return a category with its items, and the kinds of named providers that get some of them."""
    keys = [item.key for item in items if category in item.categories]
    letter = category.name if len(category.name) == 1 else ""
    known = [who.value for who in dict.fromkeys(PROVIDERS.values()) if who in named]
    gets = {word for row in rows if row["key"] in keys for word in row["recipients"] if word in known}
    return {
        "letter": letter,
        "name": category.value,
        "collected": bool(keys),
        "items": keys,
        "disclosed": [word for word in known if word in gets],
    }


def _provider(provider: Provider, settings: Settings) -> dict[str, Any]:
    """Return a provider; `deletes` is what really happens. Without a store nothing is kept, and nothing is passed on."""
    way = provider.way(mails=bool(settings.mail.host))
    told = way in ("webhook", "mail")
    return provider.model_dump(mode="json") | {
        "deletes": way if settings.store.enabled or not told else "untold",
        "contact": "" if provider.deletes == "webhook" else provider.contact,  # an address for programs alone
    }


def place_words(place: Any) -> str:
    """Return a place in words for the public."""
    kind = type(place).__name__
    words = {
        "Column": "database",
        "ObjectPrefix": "object store",
        "Cookie": "cookie",
        "BrowserStore": "your browser",
        "LogField": "log of this service",
        "File": "log file of the web server",
    }
    if isinstance(place, Memory):
        return "memory only"
    if isinstance(place, HandedOn):
        return f"handed on: {place.by}"
    if isinstance(place, Column):
        return {"keyed": "database, as a keyed hash", "sealed": "database, encrypted"}.get(place.form, "database")
    if isinstance(place, ObjectPrefix):
        return "object store, as names without content" if place.prefix == "erasures/" else "object store, encrypted"
    return words.get(kind, kind.lower())


def keep_words(item: Item, retention: Retention) -> str:
    """Return the retention of an item in words, as this deployment may have shortened it."""
    keep = item.keep
    if isinstance(keep, Days):
        days = days_of(item, retention)
        events = {"party.ended": "the end of the chat", "audit.time": "the look-up"} | CLOSED
        return f"{days} days after {events.get(keep.after, keep.after)}"
    if isinstance(keep, Forever):
        return f"without end: {keep.why}"
    return keep.what if isinstance(keep, For) else f"while {keep.what}"
