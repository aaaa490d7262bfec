"""Match what word lists cannot express in a chat line: web addresses, contacts, handles of apps, and quantities that must not be taken for ages.

**Invariant:** the cost of each pattern is bounded, and a cheap test of a character or word precedes it. Lines are folded (normalised by
`text_folding`) before. Operators' rules are words only, because an arbitrary regular expression could run for ever.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from engine.matching.interest_normalisation import skeleton
from server.trust.screening.private_data import is_within_account

TAIL_MIN: Final = 4  # characters
LONG: Final = 80  # characters of a piece in which one phrase is no evidence: threats are shorter, or have several
DOTS_MAX: Final = 12  # of a piece that are tested as the dot before an address's ending
NAMES_MAX: Final = 5  # of them that have an address's ending, before which a name is looked for
SIGNS_MAX: Final = 4  # of a piece behind which a handle is looked for
SPACED_MIN: Final = 3  # letters of an ending with a space beside its dot
Span = tuple[int, int]

# Endings that are no words of a sentence: "ok.net" is an address, "ok.me" is one only with a path.
_ENDINGS: Final = frozenset(
    """
    com net org info gg ly io xyz ru onion biz click online site shop icu club porn cam webcam cams xxx tv dev app website cc ws tk pw uk fm
    buzz sbs cfd cyou vip gdn mobi moe ninja pics singles cz pl nl ua kz jp kr cn fr porno wtf ee rip ml gq lat
    """.split()  # noqa: SIM905 - a table of words
)
# Endings that are words: an address only at the end of a clause, behind a name of NAME_MIN characters or one with a digit or a hyphen.
_WORDS: Final = frozenset(
    """
    live me chat link top fun space world life love one today video photos best date zone social group page news games cool rocks bar blog team
    work city plus red pink black sex adult win bet monster bond store stream dating casino tech de
    """.split()  # noqa: SIM905 - a table of words
)
# Those of `_ENDINGS` that begin a sentence too ("man.Cam will", "fear them . shop at"): behind a distinctive name alone.
_BEGINNINGS: Final = frozenset(
    "biz cam click club cyou dev moe ninja online pics porn rip shop singles site vip website app".split()  # noqa: SIM905
)
_NAME_MIN: Final = 6
_SHORT_NAME: Final = 4
# Sites that are named in ordinary talk: of low confidence without a path.
_SITES: Final = frozenset(
    """
    abc.com abcnews.com accuweather.com adobe.com airbnb.com alibaba.com aliexpress.com allmusic.com allrecipes.com amazon.co.uk amazon.com
    amazon.de amazon.es amazon.fr amazon.it ancestry.com aol.com apple.com att.com autotrader.com avito.ru azlyrics.com baidu.com bandcamp.com
    bandsintown.com barnesandnoble.com baseball-reference.com basketball-reference.com bbc.co.uk bbc.com bestbuy.com billboard.com bing.com
    bleacherreport.com bloomberg.com booking.com boxofficemojo.com britannica.com businessinsider.com buzzfeed.com carmax.com cars.com cbs.com
    change.org chegg.com chess.com chewy.com cnbc.com cnn.com codecademy.com collegeboard.org collider.com comedycentral.com costco.com
    coursera.org cracked.com craigslist.org crunchyroll.com deezer.com deviantart.com dictionary.com discogs.com disney.com disneyplus.com
    doordash.com draftkings.com dropbox.com duolingo.com ebay.com edx.org eharmony.com espn.com espncricinfo.com etrade.com etsy.com expedia.com
    facebook.com fandango.com fandom.com fanduel.com fanfiction.net fangraphs.com fedex.com finn.no fivethirtyeight.com flickr.com
    foodnetwork.com forbes.com foxnews.com funnyordie.com gamefaqs.com gamestop.com genius.com github.com globo.com gmail.com gmx.de gofundme.com
    goodreads.com google.com google.de google.fr grammarly.com groupon.com grubhub.com hbo.com healthline.com history.com homedepot.com
    hotmail.com huffingtonpost.com huffpost.com hulu.com ign.com ikea.com imdb.com imgur.com indeed.com instagram.com jcrew.com kayak.com
    khanacademy.org kickstarter.com kohls.com last.fm lds.org leboncoin.fr legacy.com lego.com lemonde.fr letterboxd.com lichess.org linkedin.com
    livenation.com lowes.com lumosity.com macys.com mail.ru mapquest.com mashable.com match.com mayoclinic.org medium.com meetup.com
    mercadolivre.com.br merriam-webster.com metacritic.com microsoft.com mlb.com mlb.tv monster.com mormon.org msn.com mtv.com myanimelist.net
    mysql.com nasa.gov nationalgeographic.com naver.com nba.com nbc.com netflix.com newegg.com newyorker.com nextdoor.com nfl.com nhl.com
    nike.com nintendo.com npr.org nrk.no nytimes.com ok.ru okcupid.com omegle.com opentable.com orange.fr orbitz.com outlook.com overstock.com
    pandora.com patreon.com paypal.com pbs.org people.com petco.com petfinder.com petsmart.com photobucket.com pinterest.com pitchfork.com
    pixar.com playstation.com pokemon.com politico.com priceline.com pro-football-reference.com python.org qq.com quizlet.com quora.com qvc.com
    rakuten.co.jp ratemyprofessors.com realtor.com redbox.com reddit.com redfin.com rogerebert.com rollingstone.com rottentomatoes.com
    salesforce.com samsung.com scratch.mit.edu seatgeek.com sephora.com setlist.fm shutterfly.com si.com sina.com sky.com slate.com snopes.com
    sony.com soundcloud.com southwest.com sparknotes.com speedtest.net spiegel.de spotify.com stackexchange.com stackoverflow.com starbucks.com
    starwars.com steam.com steamcommunity.com steampowered.com stitcher.com stubhub.com surveymonkey.com taobao.com target.com ted.com tesla.com
    theatlantic.com theguardian.com theonion.com thesaurus.com theverge.com ticketmaster.com time.com tinder.com tmz.com travelocity.com
    tripadvisor.com trulia.com tumblr.com tvguide.com twitch.tv twitter.com uber.com udemy.com ufc.com uol.com.br ups.com urbandictionary.com
    usatoday.com usps.com vevo.com vg.no vimeo.com vk.com vox.com vrbo.com vudu.com w3schools.com walmart.com washingtonpost.com wattpad.com
    wayfair.com weather.com web.de webmd.com wikihow.com wikipedia.com wikipedia.org wired.com wordpress.com wsj.com wunderground.com wwe.com
    xbox.com yahoo.com yandex.ru yelp.com youtube.com zappos.com zillow.com zoom.us
    """.split()  # noqa: SIM905 - a table of words
)
# Words by which a sentence names a site as a place ("i read it on rogerebert.com"), and words before them by which a writer points there.
_PLACES: Final = frozenset("on from of at via".split())  # noqa: SIM905
_POINTING: Final = frozenset(
    "me us my mine our go goto check checkout come look join find visit free live pics nudes video videos".split()  # noqa: SIM905
)
_LINKS: Final = frozenset(("is", "was"))  # "their web site is …"
_SITES_OF: Final = frozenset(("site", "website", "page"))
_OWN: Final = re.compile(r"\b(?:my|our)\b").search
_BEFORE: Final = re.compile(r"(?:^|(\w+)\W+)(\w+) ?\Z").search
_SITE: Final = re.compile(
    r"(?:https?://)?(?:www\.)?((?:[\w-]{1,40}\.){1,3}[a-z]{2,6})(?!\w|[.@]\w|:\d|/[\w?=%-])"
).match
_SPACED: Final = re.compile(r" ?\. ?").sub
_SITE_MAX: Final = 64  # characters
_DIGITS_AS_LETTERS: Final = str.maketrans("013", "oie")
_WRITTEN: Final = re.compile(r"https?://[^\s/]{3}|www(?<![\w.@]www)\.[\w-]{2}")
_NAME: Final = (
    r"[\w-](?<![\w.@-][\w-])[\w-]"  # of a domain: its first two characters, behind none that would belong to it
)
_ENDING: Final = re.compile(r"(?:(?<=\w)\.| \. ?)([\w]{2,12})(?![\w@/-]|\.\w)|(?<=\w)\.([a-z]{2,12})/[\w?=%-]")
_ENCLOSED: Final = re.compile(r"\s?[(\[]\s?\.\s?[)\]]\s?([a-z]{2,12})(?![\w@-])")
_NAMES: Final = re.compile(rf"{_NAME}{{0,39}}+(?:\.[\w-]{{1,40}}+){{0,3}}\Z")
_NAMES_MAX: Final = 4 * 41
_BEFORE_MAX: Final = 32  # characters before an address that are looked at
_MAIL: Final = re.compile(r"[\w.+-](?<![\w.+-][\w.+-])[\w.+-]{0,39}+@(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_MAIL_END: Final = re.compile(r"@(?<=[\w.+-]@)(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_PHONE: Final = re.compile(r"(?:\+|00)(?<![\w.]\+)(?<![\w.]00)[1-9](?:[ ./()-]{0,2}\d){7,13}(?!\w)")
_MEASURE: Final = re.compile(r"[\w/%'\"°€$£]|[.,:]\d| ?[-–+*] ?\d").match
_AGE_WITHIN: Final = re.compile(r"(?:^|[^\d])([89]|1[0-7])(?!\d)").search
_LAUGHTER: Final = re.compile(
    r"(?<!\w)(?:l+o+l+|lmf?a+o+|rofl|a?ha(?:ha)+h?|he(?:he)+|ja(?:ja)+|je(?:je)+|k{3,}|rs(?:rs)+|mdr+|ptdr+|j/?k|x+d+"
    r"|а?ха(?:ха)+х?|хах(?:ах)*а?|ах(?:ах)+а?|лол|шучу|шутка|прикол|spass|witz|scherz|broma|blague|d[ée]conne|brincadeira|zoeira|tull|tuller|spøk|[اأ]مزح|نكت[ةه])(?!\w)"
    r"|ههه|\bw{2,}$|(?<=[^a-z.])w{2,}$|[笑草](?=$|[\s。!?)、])|[\U0001f602\U0001f923\U0001f605\U0001f606\U0001f61c\U0001f61d\U0001f92a]"
    r"|[:;=]-?[)dp](?!\w)|\b(?:kidding|joking)\b"
)
_HANDLE: Final = re.compile(
    r"\s?(?:(?:is|ist|es|est|é|er|это|name|user|handle)\s)?\s?([:=@>–—-]{0,3})\s?(@?)([a-z][\w.-]{2,29})"
).match
_HANDLE_SIGN: Final = re.compile(
    "[\U0001f47b\U0001f4f8\U0001f4f7\U0001f4f2\U0001f4de]+\\s?[:=-]?\\s?@?[a-z][\\w.-]{3,29}"
)
_COMMON: Final = frozenset(
    """
    have they their there this that then what when where with your you and the but not for from are was were will would like just yes yeah nope
    none please people account story stories group groups app video videos link page username name download web only call calls chat server free
    """.split()  # noqa: SIM905 - a table of words
)


def find_link(line: str, _: list[str]) -> Span | None:
    """Return the span of a page's address."""
    for written in islice(_WRITTEN.finditer(line), DOTS_MAX):
        if not is_known_site(line, written.start()) and not is_named_site(line, written.start()):
            return written.span()
    names = 0
    for found in islice(_endings(line), DOTS_MAX):
        if found[2] or _is_ending(found[1], " " in found[0]):
            span = _named(line, found.start(), found.end())
            if (
                span is not None
                and found[1] in _BEGINNINGS
                and not _is_distinctive(line[span[0] : found.start()], _SHORT_NAME)
            ):
                span = None
            names += 1
            if span is not None and not is_known_site(line, span[0]) and not is_named(line, span):
                return span
            if names == NAMES_MAX:
                return None
    if "(." in line or "[." in line or "( ." in line or "[ ." in line:
        for found in islice(_ENCLOSED.finditer(line), DOTS_MAX):
            if found[1] in _ENDINGS:
                return _named(line, found.start(), found.end())
    return None


def _is_ending(ending: str, spaced: bool) -> bool:
    """Whether a word behind a dot is the ending of an address. `spaced`: a space is beside the dot: "at 12.10" is no address in .io."""
    if not ending.isascii():
        ending = skeleton(ending)
    return (
        not ending.isdigit()
        and ending.translate(_DIGITS_AS_LETTERS) in _ENDINGS
        and not (spaced and len(ending) < SPACED_MIN)
    )


def _is_distinctive(name: str, least: int = _NAME_MIN) -> bool:
    """Whether a name before an ending is no short word of a sentence: it has `least` characters, a digit or a hyphen."""
    return len(name) >= least or any(char.isdigit() or char == "-" for char in name)


def is_known_site(line: str, begin: int) -> bool:
    """Whether the address that begins there is one of `_SITES` without a path."""
    site = _SITE(line, begin)
    if site is None:
        site = _SITE(_SPACED(".", line[begin : begin + _SITE_MAX]))  # "www. google. com"
    return site is not None and site[1] in _SITES


def is_named_site(line: str, begin: int) -> bool:
    """Whether an address begins there that a sentence names as a place."""
    site = _SITE(line, begin)
    return site is not None and is_named(line, site.span())


def is_named(line: str, span: Span) -> bool:
    """Whether the address there has no path, and a sentence names it as a place."""
    if line[span[1] - 1 : span[1] + 1].find("/") >= 0 or "/" in line[span[0] : span[1]]:
        return False
    before = _BEFORE(line, max(0, span[0] - _BEFORE_MAX), span[0])
    if before is None or before[1] is None:
        return False
    if before[2] in _LINKS:
        return before[1] in _SITES_OF and not _OWN(line, max(0, span[0] - _BEFORE_MAX), span[0])
    return before[2] in _PLACES and before[1] not in _POINTING


def find_shaped_link(line: str, _: list[str]) -> Span | None:
    """Return the span of a known or other site that is named, or of characters in the shape of an address whose ending is an ordinary word."""
    for found in islice(_endings(line), DOTS_MAX):
        if (
            (found[1] or "") in _ENDINGS
            and (span := _named(line, found.start(), found.end()))
            and (is_known_site(line, span[0]) or is_named(line, span))
        ):
            return span
        if found[1] in _WORDS and " " not in found[0]:
            rest = line[found.end() : found.end() + 2]
            span = _named(line, found.start(), found.end())
            if span is not None and not rest[1:].isalnum():
                name = line[span[0] : found.start()]
                if _is_distinctive(name, _NAME_MIN if found[1] != "me" else _NAMES_MAX):
                    return span
    return None


def _endings(line: str) -> Iterator[re.Match[str]]:
    """Yield the matches of `_ENDING`, in order: each begins with a dot or the space before it, so that no other character is tried."""
    begin = 0
    while (dot := line.find(".", begin)) >= 0:
        found = _ENDING.match(line, dot - 1 if dot > begin and line[dot - 1] == " " else dot)
        if found is not None:
            yield found
        begin = found.end() if found is not None else dot + 1


def _named(line: str, dot: int, end: int) -> Span | None:
    """Return the span of an address with the name before its ending."""
    name = _NAMES.search(line, max(dot - _NAMES_MAX, 0), dot)
    return (name.start(), end) if name else None


def find_contact(line: str, _: list[str]) -> Span | None:
    """Return the span of a mail address."""
    found = _MAIL.search(line) if _MAIL_END.search(line) else None
    return found.span() if found else None


def find_phone(line: str, _: list[str]) -> Span | None:
    """Return the span of an international telephone number."""
    found = _PHONE.search(line)
    return found.span() if found and not is_within_account(line, found.start()) else None


def find_sign_handle(line: str, _: list[str]) -> Span | None:
    """Return the span of a name behind the sign of an app or a telephone."""
    found = _HANDLE_SIGN.search(line)
    return found.span() if found else None


def _handle_behind(line: str, begin: int, end: int) -> Span | None:
    """Return the span of an app's name and a handle behind it: one with a digit or a sign within, or behind a colon or an @."""
    found = _HANDLE(line, end)
    if found is None:
        return None
    name = found[3].rstrip(".-")
    marked = bool(found[2]) or ":" in found[1] or "=" in found[1] or "@" in found[1]
    if (marked and len(name) > 3 and name not in _COMMON) or (
        len(name) > 3 and ("_" in name or "." in name or any(char.isdigit() for char in name))
    ):
        return begin, found.start(3) + len(name)
    return None


BESIDE: Final[dict[str, Callable[[str, int, int], Span | None]]] = {
    "handle": _handle_behind
}  # patterns beside a phrase
# Rule, a character that a line must have, and the search.
PATTERNS: Final = (
    ("link", ".", find_link),
    ("link.shape", ".", find_shaped_link),
    ("contact", "@", find_contact),
    ("contact", "+", find_phone),
    ("contact", "00", find_phone),
    ("contact.handle", "\U0001f47b", find_sign_handle),
    ("contact.handle", "\U0001f4f8", find_sign_handle),
    ("contact.handle", "\U0001f4f2", find_sign_handle),
)


def has_laughter(line: str) -> bool:
    """Whether a line laughs, or says that it jests."""
    return _LAUGHTER.search(line) is not None


def is_part_of_number(line: str, begin: int, end: int) -> bool:
    """Whether the text around a number makes it a measure, or a part of a longer number, and no age. `end`: -1 to look before it alone."""
    if line[begin] == "$" or (begin > 0 and line[begin - 1] in "$€£#°"):
        return True
    if begin > 1 and line[begin - 1] in ".,:-/+" and line[begin - 2].isdigit():
        return True
    return end >= 0 and _MEASURE(line, end) is not None


def age_within(word: str) -> int:
    """Return the age that a word has beside letters ("14f"), 0 if it has none."""
    found = _AGE_WITHIN(word)
    return int(found[1]) if found else 0


def distinctive_tail(unit: str) -> str:
    """Return the words of a unit behind its first one, if they are long enough to identify it; else an empty string."""
    tail = unit.partition(" ")[2]
    return tail if len(tail) >= TAIL_MIN and "(" not in unit else ""
