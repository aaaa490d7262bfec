"""Define the types of which the registry is made: categories, sources, purposes, recipients, retention, places, items.

**Invariant:** all are frozen and comparable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum


class Category(Enum):
    """Category of personal data (CCPA 1798.140), plus saved logs, which fit no letter."""

    A = "Identifiers"
    B = "Customer records"
    C = "Characteristics of protected classes"
    D = "Commercial information"
    E = "Biometric information"
    F = "Internet or other network activity"
    G = "Geolocation"
    H = "Audio, electronic, visual or similar (sensory) information"
    I = "Professional or employment information"  # noqa: E741 - the law's own letter
    J = "Education information"
    K = "Inferences drawn from other personal information"
    L = "Sensitive personal information: the contents of messages"
    LOG = "Saved chat logs"
    NONE = "Not about a person"


class Source(Enum):
    """Origin of an item."""

    PERSON = "the person"
    DERIVED = "derived from what the person's device sent"
    OTHER = "another user"
    OPERATOR = "the operator"


class Purpose(Enum):
    """Purpose of an item: the statement's six, and `VERIFY`, which this service adds and therefore declares."""

    SERVICE = "to provide the chats and the functions that you ask for"
    SAFETY = "security and integrity of the service and of the people in it"
    IMPROVE = "to evaluate and improve the service, in aggregated form"
    RULES = "to monitor and enforce the rules"
    LEGAL = "to answer legal requests and to follow the law"
    TRANSFER = "a merger or sale of the service"
    VERIFY = "to make sure that a privacy request comes from the person whom it concerns"


class Basis(Enum):
    """Legal basis (GDPR Art. 6)."""

    CONTRACT = "what you asked us for (Art. 6(1)(b))"
    INTEREST = "legitimate interest: a service that is safe for both people in a chat (Art. 6(1)(f))"
    USE = "legitimate interest: to know how much the service is used, in counts alone (Art. 6(1)(f))"
    LAW = "legal obligation (Art. 6(1)(c))"


class What(StrEnum):
    """Way of a disclosure: a deletion passed on, an address shown, a case exported, a referral, an order answered, a handover of the service, an
    incident.
    """

    TOLD = "told"
    REVEAL = "reveal"
    EXPORT = "export"
    REFERRAL = "referral"
    PRODUCED = "produced"
    TRANSFER = "transfer"
    INCIDENT = "incident"


class Recipient(Enum):
    """Recipient of an item. Police on demand: categories A, F and H only (the table of the statement)."""

    HOSTING = "hosting and object-store providers"
    MODERATION = "moderation providers"
    USER = "the other person in the chat"
    LINK = "anyone who has the link of the saved log"
    POLICE = "the police, on demand"
    COURT = "a court or another authority, exactly what its legal order names"
    CHILDREN = "the police or a body that protects children, what the law makes us report"
    RELAY = "the mail relay of the operator"
    TURN = "the operators of the servers that connect video calls"
    TRANSLATION = "the operator of the translation server"
    CAPTCHA = "the company that checks that you are not a robot"


@dataclass(frozen=True, slots=True)
class Days:
    """Retention for this many days after `after`: 'table.column' of a Unix time in seconds, or an event in words."""

    days: int
    after: str


@dataclass(frozen=True, slots=True)
class Forever:
    """Retention without end, with the reason."""

    why: str


@dataclass(frozen=True, slots=True)
class While:
    """Retention as long as a condition lasts; `longest`: seconds at most if known (0: not a number)."""

    what: str
    longest: int = 0


@dataclass(frozen=True, slots=True)
class For:
    """Retention for a length of time, in words; `longest`: the same in seconds."""

    what: str
    longest: int


Keep = Days | Forever | While | For


@dataclass(frozen=True, slots=True)
class Column:
    """A database column, 'table.column'. `form`: plain, keyed (HMAC) or sealed (AES-GCM)."""

    name: str
    form: str = "plain"


@dataclass(frozen=True, slots=True)
class ObjectPrefix:
    """Objects under this prefix, each encrypted under its own key."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that the server sets."""

    name: str


@dataclass(frozen=True, slots=True)
class BrowserStore:
    """A key of localStorage or sessionStorage on the page; never sent automatically."""

    key: str


@dataclass(frozen=True, slots=True)
class LogField:
    """A field of a log event: 'event.field'."""

    name: str


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A label name of a metric."""

    name: str


@dataclass(frozen=True, slots=True)
class Memory:
    """A value in process memory only, under this name, for `longest` seconds at most."""

    name: str
    longest: int


@dataclass(frozen=True, slots=True)
class HandedOn:
    """Data handed to a recipient without being stored. `by`: the part that does it."""

    to: Recipient
    by: str


@dataclass(frozen=True, slots=True)
class File:
    """A file under DATA by its relative name, or a file of another program by its path."""

    name: str


Place = Column | ObjectPrefix | Cookie | BrowserStore | LogField | MetricLabel | Memory | HandedOn | File


class Export(Enum):
    """Whether an access request is answered with the item."""

    OWN = "yes, your own"
    BOTH = "yes, both sides' text"
    BROWSER = "it lies in your browser"
    FACT = "as a fact, without the value"
    GONE = "no: it is gone before an answer could be"
    CREDENTIAL = "no: it opens something"
    NOT_LINKED = "no: nothing links it to a person"
    WHEN_AND_WHY = "when and why, not who"


@dataclass(frozen=True, slots=True)
class Delete:
    """Whether a person can have the item deleted, with the reason or the exemption."""

    can: bool
    why: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of personal data, with everything that the statement, the purge and answers to requests need."""

    key: str
    categories: tuple[Category, ...]
    what: str
    sources: tuple[Source, ...]
    purposes: tuple[Purpose, ...]
    basis: Basis
    recipients: tuple[Recipient, ...]
    keep: Keep
    places: tuple[Place, ...]
    export: Export
    delete: Delete
    subject: str = ""  # 'table.column' that identifies the person; empty if no stored column does
    hold: bool = False  # a legal hold can keep it beyond its retention
    rare: str = ""  # why the canary run may declare it but never see it
    needs: str = ""  # the feature (server.data.statement.enabled_features) without which the item does not exist
    bare: str = ""  # its description if the store is disabled
    title: str = ""  # its heading; if empty, the words of its key


@dataclass(frozen=True, slots=True)
class NotPersonal:
    """A stored or published value that is about no person, with the reason."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A recipient as the statement names it: the contract, and how the recipient deletes the data."""

    recipient: Recipient
    contract: str
    deletes: str


@dataclass(frozen=True, slots=True)
class Text:
    """Sentences of the statement that are not an item; `{names}` are filled from settings. `needs`: a feature, or `no-` and its name.

    A key that begins with `front.` appears on the first page.
    """

    key: str
    title: str
    body: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """All items, exemptions, contracts and texts. Raises ValueError if they contradict each other."""

    items: tuple[Item, ...]
    not_personal: tuple[NotPersonal, ...]
    contracts: tuple[Contract, ...]
    none: tuple[Category, ...]
    texts: tuple[Text, ...]
    _by_key: dict[str, Item] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for item in self.items:
            if item.key in self._by_key:
                raise ValueError(f"registry: {item.key} is declared twice")
            for category in item.categories:
                if category in self.none:
                    raise ValueError(
                        f"registry: {item.key} claims category {category.name}, of which the statement says none is collected"
                    )
                if Recipient.POLICE in item.recipients and category in {Category.B, Category.G}:
                    raise ValueError(
                        f"registry: {item.key} is category {category.name}, which the statement gives to no police on demand"
                    )
            self._by_key[item.key] = item

    def item(self, key: str) -> Item:
        """Return an item by its key. Raises KeyError."""
        return self._by_key[key]

    def text(self, key: str) -> Text:
        """Return a text of the statement by its key. Raises KeyError."""
        found = next((text for text in self.texts if text.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    def heading(self, key: str) -> str:
        """Return the English heading of an item; for a key that no longer exists, its words."""
        item = self._by_key.get(key)
        return (item.title if item is not None else "") or key.replace("_", " ")

    def places(self, kind: type) -> list[tuple[Item, Place]]:
        """Return all places of one kind, with their items."""
        return [(item, place) for item in self.items for place in item.places if isinstance(place, kind)]
