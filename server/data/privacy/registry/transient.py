"""Declare the personal data that is not stored: held in memory or in the browser, or passed on.

**Invariant:** none of it is written to a disk of this service, and each item states its lifetime.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import (
    BY_ITSELF,
    DERIVED,
    HOSTING,
    IN_BROWSER,
    LOG,
    OTHER,
    PERSON,
    SAFETY,
    SERVICE,
    USER,
    A,
    B,
    F,
    H,
    L,
)
from server.data.privacy.registry_model import (
    Basis,
    BrowserStore,
    Delete,
    Export,
    For,
    HandedOn,
    Item,
    Memory,
    Purpose,
    Recipient,
    While,
)

CHOICES = (
    "language",
    "words",
    "theme",
    "size",
    "sounds",
    "auto",
    "confirm",
    "sure",
    "adult",
    "minor",
    "hush",
    "hide",
    "letters",
    "statement",
    "called",
    "notify",
)  # of web/keep.js, beside `tags`, `avoid`, `pairs`
PASSING = (
    Item(
        key="talk",
        title="running chat",
        categories=(LOG, L),
        what=(
            "What is said in a running chat, so that a lost connection loses nothing and a chat can be saved. "
            "Never logged, never stored unless saved"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While(
            "the chat lasts, and 10 minutes after it, in which it can be saved; then its place in memory is cleared",
            longest=615,
        ),
        places=(Memory("ring", 615), HandedOn(USER, "the chat")),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="between_hosts",
        title="between our computers",
        categories=(A, F, H, LOG, L),
        what=(
            "This service runs on several computers. Between them travel what you look for, how long you have waited, the hash of your cookie"
            " and what was decided about it, so that one of them finds you somebody and all know it; and your chat, pictures of it that a"
            " report needs and requests with your IP address, where another of them has the chat or the answer. By a network of the"
            " operator's, in memory"
        ),
        sources=(PERSON, OTHER, DERIVED),
        purposes=(SERVICE, SAFETY),
        basis=Basis.CONTRACT,
        recipients=(),
        keep=While(
            "it is on its way, a moment as a rule; a few words of your session, and with whom you chat (hash and IP address),"
            " as long as you are connected",
            longest=86_400,
        ),
        places=(Memory("hosts", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="hosts",
    ),
    Item(
        key="translated",
        title="translated line",
        categories=(L,),
        what=(
            "A line of a chat that somebody in it asks to have translated, where their browser cannot do it by itself. The translation"
            " server gets the line and the two languages, and nothing that says whose it is. Nothing of it is kept here"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(Recipient.TRANSLATION,),
        keep=While("it is translated, seconds as a rule", longest=60),
        places=(Memory("translation", 60), HandedOn(Recipient.TRANSLATION, "the line and the languages")),
        export=Export.GONE,
        delete=Delete(False, "nothing is kept here; what the translation server was asked cannot be called back"),
        rare="only when somebody asks for a translation",
        needs="translation",
    ),
    Item(
        key="tap",
        title="lines that a program reads",
        categories=(LOG, L),
        what=(
            "What is said in a running chat, for a program of this server that looks for links, scams and danger in it and warns. "
            "In memory until it was looked at; the program stores nothing, and sends nothing to anybody but a provider that this"
            " statement names"
        ),
        sources=(PERSON, OTHER),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("it waits to be looked at, a moment as a rule", longest=60),
        places=(Memory("tap", 60),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="screening",
    ),
    Item(
        key="found",
        title="what a program found",
        categories=(F,),
        what=(
            "What that program found in a chat, as a word of a list and the number of a line. In memory with the chat, and with its text"
            " where somebody reports it"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("the chat lasts, and 10 minutes after it, in which it can be reported", longest=615),
        places=(Memory("findings", 615),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="screening",
    ),
    Item(
        key="snap_memory",
        title="pictures in memory",
        categories=(H,),
        what=(
            "Small still pictures of both cameras in a video chat, at random moments and after a report: as each browser sees the other"
            " person's camera, and as it says its own is. A program of this server looks at them for nudity and for known abuse material."
            " A still that another program than a browser sends of its own camera is looked at too, and forgotten at once."
            " In memory alone"
        ),
        sources=(PERSON, OTHER),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("the chat lasts, and 10 minutes after it, in which it can be reported", longest=615),
        places=(Memory("snaps", 615),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="pictures",
    ),
    Item(
        key="sent_picture",
        title="pictures sent in a chat",
        categories=(H, L),
        what=(
            "A picture that one of the two in a chat sends the other, once both allow it. Your browser draws it anew, without place, date"
            " and camera. A program of this server looks at it for nudity and for known abuse material, where this server has one. In"
            " memory alone"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE, SAFETY),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While(
            "the chat lasts, ten minutes after its last picture at most, in which it can be reported", longest=615
        ),
        places=(Memory("sent pictures", 615), HandedOn(USER, "the picture")),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="pictures.chat",
        rare="only when both allow it",
    ),
    Item(
        key="video_off",
        title="video switched off",
        categories=(F,),
        what=(
            "That video is off for you for a while, since pictures of your video chats could not be checked, or two of them showed"
            " nudity, or an operator paused it, in memory. It is kept with your cookie's hash or your session, and is not stored"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("ten minutes, an hour at most", longest=3_600),
        places=(Memory("pauses", 3_600),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="video",
    ),
    Item(
        key="snap_provider",
        title="pictures for another company",
        categories=(H,),
        what=(
            "Small still pictures of your camera in a video chat, as the other person's browser sees it. Another company's server scores"
            " them for nudity. It is told nothing of whose they are"
        ),
        sources=(OTHER,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(Recipient.MODERATION,),
        keep=While("it is checked, 3 seconds at most", longest=3),
        places=(Memory("pictures", 3), HandedOn(Recipient.MODERATION, "the pictures")),
        export=Export.GONE,
        delete=Delete(False, "nothing is kept here; what the company was told cannot be called back"),
        needs="pictures.provider",
    ),
    Item(
        key="text_provider",
        title="lines for another company",
        categories=(LOG, L),
        what=(
            "What is said in a running chat. Another company's server looks for scams and danger in it. It is told nothing of whose"
            " lines they are"
        ),
        sources=(PERSON, OTHER),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(Recipient.MODERATION,),
        keep=While("it is looked at, a minute at most", longest=60),
        places=(Memory("provider", 60), HandedOn(Recipient.MODERATION, "the lines")),
        export=Export.GONE,
        delete=Delete(False, "nothing is kept here; what the company was told cannot be called back"),
        needs="screening.provider",
    ),
    Item(
        key="openers",
        title="first lines of chats",
        categories=(F,),
        what=(
            "How your first lines in a chat begin, as numbers out of which nobody makes a text, so that an advert is found with which many"
            " chats begin, and when you last began like many. In memory"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("an hour", longest=3_600),
        places=(Memory("openers", 3_600),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="screening",
    ),
    Item(
        key="own_lines",
        title="your own lines",
        categories=(LOG, L),
        what=(
            "Your own lines of a running chat and the one you have begun, and in a call what you have turned off, in your browser, "
            "so that loading the page again loses nothing and shows nothing. Not where it is to keep nothing"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(),
        keep=While("the chat goes on and its tab is open"),
        places=(BrowserStore("serendip.talk"),),
        export=Export.BROWSER,
        delete=IN_BROWSER,
    ),
    Item(
        key="signal",
        title="video connection",
        categories=(A,),
        what="In video chats your IP address reaches the other person's device, unless you choose to go through a relay",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER, Recipient.TURN),
        keep=While("the call lasts"),
        places=(HandedOn(USER, "the video connection"),),
        export=Export.FACT,
        delete=Delete(False, "nothing is kept here; what the other person's device learned cannot be called back"),
        rare="video chats only",
        needs="video",
    ),
    Item(
        key="interests",
        categories=(F,),
        what="Your interests: in your browser, and in memory while a partner is looked for. Both are told what they share",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the search and the chat last"),
        places=(BrowserStore("serendip/tags"), Memory("ticket", 86_400), HandedOn(USER, "the chat: what both named")),
        export=Export.BROWSER,
        delete=IN_BROWSER,
    ),
    Item(
        key="avoid",
        title="people you avoid",
        categories=(A,),
        what=(
            "Whom you do not want to meet again: up to 16 encrypted tokens in your browser, sent with each search and opened in"
            " memory for it. Nothing of it is stored here"
        ),
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.CONTRACT,
        recipients=(),
        keep=While("your browser keeps them; a token is good for 120 days"),
        places=(BrowserStore("serendip/avoid"), Memory("ticket", 86_400)),
        export=Export.BROWSER,
        delete=IN_BROWSER,
        rare="only when you asked for it",
    ),
    Item(
        key="pairs",
        title="people you keep in touch with",
        categories=(A,),
        what=(
            "Whom you want to meet again, and who wants to meet you: up to 10 encrypted tokens in your browser, sent with each search and opened in"
            " memory for it. Nothing of it is stored here. Tokens from before a ban of yours are not accepted any more"
        ),
        sources=(PERSON, OTHER),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(),
        keep=While("your browser keeps them; a token is good for 120 days"),
        places=(BrowserStore("serendip/pairs"), Memory("ticket", 86_400)),
        export=Export.BROWSER,
        delete=IN_BROWSER,
        rare="only when you asked for it",
    ),
    Item(
        key="college",
        categories=(B,),
        what=(
            "Your college's domain, in your browser, with the proof that you have an address there; shown to the "
            "other person in college mode"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, USER),
        keep=While("your browser keeps it; the proof runs out"),
        places=(
            BrowserStore("serendip.college"),
            Memory("ticket", 86_400),
            HandedOn(USER, "the chat in college mode"),
        ),
        export=Export.BROWSER,
        delete=IN_BROWSER,
        rare="college mode only",
        needs="mail",
    ),
    Item(
        key="college_mail",
        title="mail to your college",
        categories=(A, B),
        what="Your mail address while a code is sent to it, in memory; then only its keyed hash, also inside the proof in your browser",
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(HOSTING, Recipient.RELAY),
        keep=While("the code is valid; as a keyed hash for an hour, so that one mail an hour goes to it", longest=3600),
        places=(Memory("outbox", 600), Memory("checks", 3600), HandedOn(Recipient.RELAY, "the mail with the code")),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="college mode only",
        needs="mail",
    ),
    Item(
        key="question",
        categories=(F,),
        what=(
            "A question asked in spy mode, shown to the two who discuss it; kept to be asked again only if the "
            "asker allows it, without the asker"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("the chat lasts; a day where it may be asked again", longest=86_400),
        places=(Memory("questions", 86_400), HandedOn(USER, "the discussion")),
        export=Export.NOT_LINKED,
        delete=BY_ITSELF,
        rare="spy mode only",
    ),
    Item(
        key="choices",
        title="your choices",
        categories=(F,),
        what=(
            "Your choices on the page: languages, text size, whether a search goes on by itself, that you are an adult, which "
            "statement you have seen. With each search go the chat's language (where that is any, the page's own) and kind, which the "
            "other person is told, whether "
            "calls are to hide your address and, where the server asks, that you are an adult"
        ),
        sources=(PERSON,),
        purposes=(SERVICE,),
        basis=Basis.CONTRACT,
        recipients=(USER,),
        keep=While("your browser keeps them; what goes with a search, as long as the search and the chat"),
        places=(
            *(BrowserStore(f"serendip/{name}") for name in CHOICES),
            BrowserStore("serendip"),
            BrowserStore("serendip.try"),
            Memory("ticket", 86_400),
            HandedOn(USER, "the chat: its language and kind"),
        ),
        export=Export.BROWSER,
        delete=IN_BROWSER,
    ),
    Item(
        key="met",
        title="whom you met last",
        categories=(A,),
        what=(
            "Whom you met last, as numbers of sessions and identity hashes, so that you do not meet again at "
            "once. In memory, and encrypted in your browser's resume token"
        ),
        sources=(DERIVED,),
        purposes=(SAFETY, SERVICE),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("10 minutes", longest=600),
        places=(Memory("recents", 600), Memory("token", 600), BrowserStore("serendip.way")),
        export=Export.GONE,
        delete=BY_ITSELF,
    ),
    Item(
        key="block",
        title="people you will not meet again",
        categories=(A,),
        what="Whom you reported and who reported you, in memory for a day, so that you two do not meet again",
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=For("a day", longest=86_400),
        places=(Memory("blocks", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="only when somebody reported",
    ),
    Item(
        key="queue",
        title="records on their way",
        categories=(A, F),
        what="The record of a chat that just ended, on its way to the database, in memory",
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("the database takes it, seconds as a rule"),
        places=(Memory("writer", 3600),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="store",
    ),
    Item(
        key="counted",
        title="counts of use",
        categories=(F,),
        what=(
            "How many chats of your session were counted in an hour, three at most, by the number of the session. In memory; the counts"
            " themselves hold no identifier"
        ),
        sources=(DERIVED,),
        purposes=(Purpose.IMPROVE,),
        basis=Basis.USE,
        recipients=(),
        keep=For("four hours", longest=14_400),
        places=(Memory("statistics", 14_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        needs="store",
    ),
)
