"""Declare the data that admission control (limits, challenges, age checks) holds about users.

**Invariant:** it is held in memory only, and each item states its lifetime.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import BY_ITSELF, DERIVED, PERSON, SAFETY, A, F
from server.data.privacy.registry_model import Basis, Delete, Export, For, HandedOn, Item, Memory, Recipient, While

KNOCKING = (
    Item(
        key="limits",
        categories=(A,),
        what="How often an address connects, searches, saves chats, tells us something or tries links, and how often you save chats, in memory",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("minutes, for saved chats a day", longest=86_400),
        places=(Memory("limits", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="friction",
        title="what slows you down",
        categories=(A, F),
        what=(
            "What speaks for slowing somebody down, in memory: when we first saw your cookie today, how many people reported you, how your"
            " last chats ended, whether a link or a contact stood in them and whether they began like many others, how many connect and"
            " search from your address, and whether somebody there is banned. It is added up only when you search, and the sum is kept"
            " nowhere"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("a day; that somebody at an address is banned: a week", longest=604_800),
        places=(Memory("friction", 604_800),),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="only where the operator leaves challenges on",
    ),
    Item(
        key="age",
        categories=(A, F),
        what=(
            "That you wrote in a chat that you are under 18, the age that you named, and what you answered when we asked you, in memory."
            " It is kept with your cookie's hash or your session, and is not stored"
        ),
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("a day", longest=86_400),
        places=(Memory("ages", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="daily",
        title="findings of a day",
        categories=(F,),
        what=(
            "In how many chats of the last day a program found hate, threats or nudity of yours, and when, in memory, with your cookie's hash"
            " or your session. No text and nobody whom you met; what you write about yourself is not counted"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("a day", longest=86_400),
        places=(Memory("daily", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="screening",
    ),
    Item(
        key="challenge",
        title="puzzle",
        categories=(A,),
        what="The puzzle that your browser has to solve before a search, your session's number in it, and that it was solved, in memory",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("ten minutes; that it was solved: half an hour, or as the operator sets it", longest=86_400),
        places=(Memory("challenges", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="only when many searches or reports speak for it",
    ),
    Item(
        key="captcha",
        categories=(A, F),
        what=(
            "What your browser answered where another company checks that you are not a robot, for that company to say whether it is"
            " right. The company's own script, which runs in your browser after you agree, learns your IP address and how your browser"
            " works. Nothing of it is kept here"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(Recipient.CAPTCHA,),
        keep=While("it is checked, 3 seconds at most", longest=3),
        places=(Memory("captcha", 3), HandedOn(Recipient.CAPTCHA, "the answer")),
        export=Export.GONE,
        delete=Delete(False, "nothing is kept here; what the company was told cannot be called back"),
        rare="only when many searches or reports speak for it",
        needs="captcha",
    ),
    Item(
        key="captcha_address",
        title="address for the captcha",
        categories=(A,),
        what="Your IP address, sent to that company along with the answer",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(Recipient.CAPTCHA,),
        keep=While("it is checked, 3 seconds at most", longest=3),
        places=(Memory("captcha", 3), HandedOn(Recipient.CAPTCHA, "the IP address")),
        export=Export.GONE,
        delete=Delete(False, "nothing is kept here; what the company was told cannot be called back"),
        rare="only when many searches or reports speak for it",
        needs="captcha.address",
    ),
)
