"""Declare the personal data of saved chat logs: the text, which is open to whoever has the log's link, and the rows beside
it, which only the service reads.

**Invariant:** a log is kept until one of its participants deletes it.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import (
    COURT,
    DERIVED,
    HOSTING,
    LINK,
    LOG,
    OTHER,
    PERSON,
    POLICE,
    SAFETY,
    SERVICE,
    USER,
    VERIFY,
    A,
    B,
    L,
)
from server.data.privacy.registry_model import Basis, Column, Delete, Export, Forever, HandedOn, Item, ObjectPrefix

LOGS = (
    Item(
        key="log",
        title="text of a saved chat",
        categories=(LOG, L),
        what=(
            "The text of a chat that one of the two saved: when it began, each message with its time and which of the two wrote it,"
            " the faces with which they reacted, when a picture was sent, but no picture, the interests that they shared, the kind "
            "of chat and its question; no language. It can hold anything that the two wrote"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER, LINK, COURT),
        keep=Forever("somebody asked for it to be kept; either of the two can have it removed"),
        places=(ObjectPrefix("logs/"), HandedOn(LINK, "the page of the saved log")),
        export=Export.BOTH,
        delete=Delete(True, "yes, whole, asked by either of the two; hidden, not deleted, while a legal hold is on it"),
        subject="log_party.identity",
        hold=True,
    ),
    Item(
        key="log_college",
        title="colleges in a saved chat",
        categories=(B,),
        what="The college domains that the two showed each other in a chat that one of them saved, beside its text",
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER, LINK, COURT),
        keep=Forever("as long as the saved log exists"),
        places=(ObjectPrefix("logs/"), HandedOn(LINK, "the page of the saved log")),
        export=Export.BOTH,
        delete=Delete(True, "yes, with the log"),
        subject="log_party.identity",
        hold=True,
        rare="college mode only",
        needs="mail",
    ),
    Item(
        key="log_party",
        title="the two people of a saved chat",
        categories=(A,),
        what="The identifiers, IP addresses and source ports of the two people of a saved log, apart from its text: keyed, and encrypted",
        sources=(PERSON,),
        purposes=(SAFETY, VERIFY),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Forever("as long as the saved log exists"),
        places=(
            Column("log_party.side"),
            Column("log_party.identity", "keyed"),
            Column("log_party.address", "sealed"),
            Column("log_party.address_mac", "keyed"),
        ),
        export=Export.OWN,
        delete=Delete(True, "yes, with the log"),
        subject="log_party.identity",
        hold=True,
    ),
    Item(
        key="log_secret",
        title="delete link of a saved chat",
        categories=(A,),
        what="The keyed hash of the address that deletes a saved log",
        sources=(DERIVED,),
        purposes=(SERVICE, VERIFY),
        basis=Basis.CONTRACT,
        recipients=(HOSTING,),
        keep=Forever("as long as the saved log exists"),
        places=(Column("log.delete_hash", "keyed"),),
        export=Export.CREDENTIAL,
        delete=Delete(True, "yes, with the log"),
    ),
)
