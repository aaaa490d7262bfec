"""A chat's record: who was in it, from where, when. Rule: 120 days, one row a person."""

from __future__ import annotations

from server.privacy.model import Basis, Column, Cookie, Export, Item
from server.privacy.registry.terms import (
    AFTER_CHAT,
    BUT_HELD,
    COURT,
    DERIVED,
    HOSTING,
    PERSON,
    POLICE,
    SAFETY,
    SERVICE,
    VERIFY,
    A,
    F,
    G,
)

CHATS = (
    Item(
        key="identity",
        categories=(A,),
        what="A random number in a cookie, set on the first visit. Stored with your chats as a keyed hash only",
        sources=(PERSON,),
        purposes=(SAFETY, VERIFY),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Cookie("id"),
            Cookie("__Host-id"),
            Column("party.identity", "keyed"),
            Column("held_party.identity", "keyed"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
    Item(
        key="address",
        categories=(A,),
        what="Your IP address, with your chats: encrypted, and as a keyed hash to find it again",
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Column("party.address", "sealed"),
            Column("party.address_mac", "keyed"),
            Column("held_party.address", "sealed"),
            Column("held_party.address_mac", "keyed"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
    Item(
        key="country",
        categories=(G,),
        what="The country of your IP address, nothing finer",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT),
        keep=AFTER_CHAT,
        places=(Column("party.country"), Column("held_party.country")),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
        rare="addresses of a test have no country",
    ),
    Item(
        key="chat",
        categories=(F,),
        what=(
            "That you were in a chat: when it began and ended, which kind, and how it ended. Not what was said, "
            "and not with whom but by the chat"
        ),
        sources=(PERSON,),
        purposes=(SAFETY, SERVICE),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=AFTER_CHAT,
        places=(
            Column("party.side"),
            Column("party.ended"),
            Column("held_party.side"),
            Column("held_party.ended"),
        ),
        export=Export.OWN,
        delete=BUT_HELD,
        subject="party.identity",
        hold=True,
    ),
)
