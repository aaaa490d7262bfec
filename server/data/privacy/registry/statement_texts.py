"""Hold the English sentences of the privacy statement, and the contracts under which recipients get personal data.

**Invariant:** each sentence is a promise with a test in `test_statement_texts.py`, and has at most 20 words. Names in braces are filled in by
`server.data.statement.statement_document`; translations are in the catalogues, under `declared.`.
"""

from __future__ import annotations

from server.data.privacy.registry_model import Contract, Recipient, Text

CONTRACTS = (
    Contract(Recipient.HOSTING, "data processing agreement", "by us; their own logs as the operator states"),
    Contract(Recipient.RELAY, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.TURN, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.TRANSLATION, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.CAPTCHA, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.MODERATION, "data processing agreement", "their own logs as the operator states"),
    Contract(Recipient.USER, "none: you talk to them", "cannot be called back"),
    Contract(Recipient.LINK, "none: whoever has the link", "with the log"),
    Contract(Recipient.POLICE, "none: on demand, within the law", "by them, under their law"),
    Contract(Recipient.CHILDREN, "none: a report that the law asks for", "by them, under their law"),
    Contract(Recipient.COURT, "none: a legal order, exactly what it names", "by them, under their law"),
)

FRONT = (
    Text("front.who", "Who we are", "{operator} is responsible for your data here. You reach us at {reach}."),
    Text(
        "front.what",
        "What we keep",
        "We store that you were in a chat: when, which kind, and how it ended. With it go a coded form of your cookie, your encrypted"
        " IP address and its country. What you say is not stored, unless one of you saves or reports the chat.",
        needs="store",
    ),
    Text(
        "front.what.bare",
        "What we keep",
        "This server stores nothing about your chats. Your browser gets a cookie with a random number.",
        needs="no-store",
    ),
    Text("front.video", "Video", "In a video chat the other device can learn your IP address.", needs="video"),
    Text(
        "front.pictures",
        "Pictures in video chats",
        "A program on this server checks still pictures of both cameras at random moments. Those that show nothing wrong are thrown"
        " away. A person sees one only if it was reported or looks unsafe.",
        needs="pictures",
    ),
    Text(
        "front.why", "Why", "We need this to run the chats, to keep people safe and to follow the law. We sell nothing."
    ),
    Text(
        "front.given",
        "Who gets it",
        "The other person gets what you write and show. Anyone with the link of a saved chat can read it. Our providers are named"
        " below. The police or a court may get what the law allows.",
        needs="store",
    ),
    Text(
        "front.given.bare",
        "Who gets it",
        "The other person gets what you write and show. Our providers are named below.",
        needs="no-store",
    ),
    Text(
        "front.long",
        "How long",
        "What we store of a chat goes after {days} days. A saved chat stays until one of you removes it. What is kept longer, and why,"
        " stands in the table below.",
        needs="store",
    ),
    Text(
        "front.long.bare",
        "How long",
        "The cookie ends 120 days after your last visit. You can delete it at any time.",
        needs="no-store",
    ),
    Text(
        "front.you",
        "What you can do now",
        "You can ask what we hold, get a copy, correct it, or have it deleted. You can object to our use of it. {ask}"
        " “Forget everything” in the settings of the page clears your browser.",
    ),
    Text("front.complain", "Whom to complain to", "You can complain to {authority}. You need not ask us first."),
)

RIGHTS = (
    Text("scope", "For whom this is", "This statement is for everybody who visits or uses this server."),
    Text(
        "rights",
        "Your rights, and how to use them",
        "You may know what we hold, get a copy of it and take it elsewhere. You may have it corrected or deleted, or its use"
        " restricted. {ask} We answer within 30 days. If we need longer we say so, and why: never more than 90 days in all. It costs"
        " nothing. We ask for no passport: the browser of your chats is the proof. Without proof we can show nobody's data. Somebody"
        " else may ask for you, with your written permission. We may refuse a claim of theirs that says too little to be checked.",
    ),
    Text(
        "objection",
        "Your right to object",
        "You may object at any time to what we do for our legitimate interests. These are the safety of the service and of its people,"
        " and counts of its use. We then stop, unless we must protect others or a legal claim.",
    ),
    Text("equal", "No worse for asking", "Whoever uses a right is served as before."),
    Text(
        "complaint",
        "Your right to complain",
        "You may complain to {authority}, at any time. In the European Union that is also the authority where you live or work.",
    ),
    Text(
        "basis",
        "Why we may do this",
        "We rely on what you asked us for, on our legitimate interests, and on legal duties. The table says which, piece by piece. No"
        " law or contract makes you give us anything. Without your IP address no connection can reach you.",
    ),
    Text(
        "automated",
        "Decisions by programs",
        "No program alone decides anything of legal or similar weight about you. A program may end a chat, or pause somebody"
        " for a day at most. It pauses nobody where nobody could look at it. A person looks at each pause. One that nobody"
        " looked at within 72 hours is taken back. A person decides on anything longer, and you can appeal.",
        needs="store",
    ),
    Text(
        "automated.bare",
        "Decisions by programs",
        "No program decides anything of legal or similar weight about you.",
        needs="no-store",
    ),
    Text(
        "slowing",
        "Slowing down",
        "Before a search a program may give your browser a small puzzle, or let you wait. It counts in memory, when you search, and"
        " keeps no score of you. Using a right never counts.",
    ),
    Text(
        "captcha",
        "A check by another company",
        "Before a search another company may check that you are not a robot, where much speaks for it. Its script runs in your browser,"
        " after you agree. It learns your IP address and how your browser works. We send it what your browser answered, and it tells us"
        " yes or no. Your consent is for that one check, and we ask again each time. To take it back, leave the check: its script ends"
        " with it. A browser that asks not to be tracked gets a puzzle of ours instead.",
        needs="captcha",
    ),
)

GUARD = (
    Text(
        "security",
        "Security, and its limits",
        "Identifiers are stored as keyed hashes. Addresses and texts are encrypted. Who looks at a person's data is written down"
        " before. No system is wholly safe, and we cannot promise that.",
        needs="store",
    ),
    Text(
        "security.bare",
        "Security, and its limits",
        "What is not stored cannot be stolen here. No system is wholly safe, and we cannot promise that.",
        needs="no-store",
    ),
    Text(
        "transfers",
        "Transfers to other countries",
        "Your data is processed in {country}. If you live elsewhere, it goes there. Providers are listed below with their country"
        " and the contract that binds them.",
    ),
    Text(
        "countries",
        "Countries that we do not serve",
        "This server is not offered in some countries. When you connect, we look up the country of your IP address. If we refuse you, we"
        " store neither.",
        needs="countries",
    ),
    Text(
        "cookies",
        "Cookies, and how to control them",
        "We set one cookie with a random number, for safety and for your rights. Your choices stay in your browser's own storage. You can"
        " refuse or delete both in the settings of your browser. There are no cookies of others.",
        needs="no-captcha",
    ),
    Text(
        "cookies.captcha",
        "Cookies, and how to control them",
        "We set one cookie with a random number, for safety and for your rights. Your choices stay in your browser's own storage. You can"
        " refuse or delete both in the settings of your browser. The company that checks that you are not a robot may set cookies of"
        " its own.",
        needs="captcha",
    ),
    Text(
        "refused",
        "Without cookies",
        "If your browser refuses the cookie, text chat works all the same. Your chats then carry no identifier.",
    ),
    Text(
        "adults",
        "Adults only",
        "The service is for people of 18 and over. If you are under 18, give us no personal data. We remove data of younger people"
        " when we learn of it. Where somebody writes in a chat that they are under 18, a program holds it and asks them.",
    ),
    Text(
        "parents",
        "For parents",
        "Please watch what your children do on the internet, and tell them never to use this server. The page for parents says how"
        " to block it. If a child was here, tell us at /notice.",
    ),
    Text(
        "warning",
        "Be careful with what you tell a stranger",
        "The other person can save, record, broadcast or copy what you write and show. A saved chat can be passed on by whoever has its"
        " link.",
    ),
    Text(
        "third",
        "No third parties on our pages",
        "Our pages hold no social buttons, scripts or fonts of others. We do not endorse other sites that somebody links to. This"
        " statement does not cover them.",
        needs="no-captcha",
    ),
    Text(
        "third.captcha",
        "Third parties on our pages",
        "Our pages hold no social buttons or fonts of others. A script of another company runs only to check that you are not a robot,"
        " after you agree. We do not endorse other sites that somebody links to. This"
        " statement does not cover them.",
        needs="captcha",
    ),
)

DISCLOSED = (
    Text(
        "sale",
        "Nothing is sold",
        "We do not sell or share personal information, and have not in the last 12 months. We have no actual knowledge of any sale or"
        " sharing of data of people under 16. If your browser sends the signal Global Privacy Control (GPC), we take it as your refusal"
        " of both.",
    ),
    Text(
        "limit",
        "Sensitive data",
        "What you say and show serves the chats, people's safety and the law alone. So there is no other use that you could have"
        " limited.",
    ),
    Text(
        "business",
        "Disclosed for a business purpose",
        "Providers get data to run and to protect this service, and for nothing else. The table below says which categories, in the"
        " last 12 months.",
    ),
    Text(
        "marketing",
        "“Shine the Light”",
        "We have disclosed nothing to anybody for direct marketing (California Civil Code § 1798.83).",
    ),
    Text(
        "disk",
        "How deletion works",
        "What has run out leaves the database within a day and a half. Backups of the database are kept at most {backup} days. What is"
        " stored of chats is keyed or encrypted with a key of its month. That key is destroyed afterwards. Saved chats and held"
        " records have a key that stays.",
        needs="store",
    ),
    Text(
        "backups",
        "Backups",
        "What is stored is copied into backups, in case a disk fails: the rows of the database, and saved chats and evidence, encrypted"
        " as they are. A backup is deleted after {backup} days at most. What you delete here is still in older backups until they go;"
        " if one has to be put back, it is deleted again. The keys go into it only sealed, and the server itself cannot open them.",
        needs="backups",
    ),
    Text(
        "memory",
        "What is said, in memory",
        "Lines that nobody saves or reports stay in memory until ten minutes after the chat. Then their place is cleared. Copies that"
        " programs and the system made on the way last until that memory is used again. Nothing of them is written to a file.",
    ),
    Text(
        "screening",
        "What a program reads along",
        "A program of this server looks at each line for links, scams and danger, after it was delivered. It may warn you or"
        " the other person, end the chat, or pause somebody for a day. It stores no line. Only where somebody was paused a"
        " person reads the last lines of that chat.",
        needs="screening",
    ),
    Text(
        "screening.command",
        "Which further program reads along",
        "The operator of this server chose a further program that reads each line. It runs on this server. It has no network and can"
        " write no file. What it finds is a hint, as what our program finds is.",
        needs="screening.command",
    ),
    Text(
        "screening.provider",
        "Which other company reads along",
        "Another company's server looks at each line for scams and danger. It gets the lines alone, and nothing of whose they are. What"
        " it finds is a hint, as what our program finds is. The table of providers names it.",
        needs="screening.provider",
    ),
    Text(
        "pictures",
        "What a program looks at in video",
        "In a video chat your browser sends this server small still pictures of both cameras. It does so at random moments, and after a"
        " report. A program of this server looks at them for nudity. It compares them with lists of known abuse material, and it knows"
        " nobody by their face. A picture that shows nothing wrong lies in memory, until ten minutes after the chat. It reaches no disk."
        " The program may blur a camera for the other person, or end the call. A person sees a picture only if somebody reported the"
        " chat, or it looks unsafe. Such a picture is kept encrypted. It is thrown away after three days where nothing is done, else"
        " after 120 days.",
        needs="pictures",
    ),
    Text(
        "pictures.chat",
        "Pictures in a chat",
        "Two people in a chat can send each other pictures, once both allow it. Your browser draws a picture anew, so that it holds no"
        " place, no date and no camera. Where this server has a program for it, each picture is checked before it is shown. The program"
        " looks for nudity and known abuse material. It knows nobody by their face. Pictures lie in memory, until the chat ends, ten"
        " minutes after the last one at most. They reach no disk, and a saved log says only that there was one. If somebody reports the"
        " chat, or a picture looks unsafe, three of that person are kept encrypted, unsafe ones first. They stay with the report, as"
        " pictures of cameras do.",
        needs="pictures.chat",
    ),
    Text(
        "pictures.provider",
        "Who scores pictures",
        "Another company's server scores the pictures of video chats for nudity. It gets the pictures alone, and nothing of whose they"
        " are. The table of providers names it.",
        needs="pictures.provider",
    ),
    Text(
        "referral",
        "Reports of child abuse",
        "Where a chat shows apparent abuse of a child, the law may make us report it. The report goes to the police or to a body that"
        " protects children. A person decides that, and no program sends it. What belongs to such a report is kept apart for a year.",
        needs="store",
    ),
    Text(
        "programs",
        "Other programs",
        "Programs that use the Omegle-compatible interface send no cookie. Their users cannot be recognised. A saved chat of theirs"
        " is opened by its address alone.",
        needs="omegle",
    ),
    Text(
        "figures",
        "What is published of moderation",
        "Each month we publish how much was reported, decided, appealed and taken back. These are counts alone, and none below 10."
        " None lets anybody work out one below 10. The counts stay when the rows are gone.",
        needs="store",
    ),
    Text(
        "usage",
        "What is published of use",
        "We count chats by kind, hour of the start, length, ending and language. At most three chats of a session count in an hour."
        " The counts hold no identifier. Each month we publish averages per day at /statistics, rounded to 5, and none below 10.",
        needs="store",
    ),
    Text(
        "change",
        "Changes",
        "Each change has a version of its own, and every version stays readable. What adds to our use of your data is announced here"
        " 14 days before. That your data goes to another operator is announced 30 days before. The page shows a notice until that"
        " day. A change without notice is marked as such.",
    ),
)

TEXTS = FRONT + RIGHTS + GUARD + DISCLOSED
