"""Hold the language of docstrings and comments: standard nouns, short sentences, first words that say what a thing is or does.

`plain_words.txt` has the number of old phrases that each file still has; it only shrinks. `python -m tests.house.test_plain_words`
prints the phrases of the files named, and with `--write` brings the list up to the sources.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOT, shown, tracked

LIST = Path(__file__).with_name("plain_words.txt")
SOURCES = ("ext/*.py", "ext/*.pyx", "engine/*.py", "server/*.py", "server/site/web/*.js", "client/serendip_client/*.py")
# Of another project, and made from engine/wire/protocol.py.
FOREIGN = frozenset(
    ("server/site/web/vendor/pbkdf2.js", "client/js/protocol.js", "client/js/fields.js", "client/js/v1.js")
)
# A phrase of the house's old language, and what to write in its place.
PHRASES = {
    r"\b(?:some|any|no|every)body\b": "a user, a client, a session, a moderator or an operator; none of them",
    r"(?:^|[.:;,(] |\b(?:and|or|to|of|for|from|by|with|that|as|than|tells?|asks?|says?|knows?) )who(?:ever)? (?!what)[a-z]+s?\b": (
        "the noun: the client, the reporter, the caller"
    ),
    r"\b(?:of|to|for|from|by|with) (?:what|whom|whose|who)\b": "the noun that the clause stands for",
    r"\bis told\b|\bare told\b|\btells of\b": "receives, is notified, sends",
    r"\bis said\b|\bis heard\b|\bis asked\b": "is logged, is returned, is sent, is read",
    r"\bstands?\b(?! (?:for|alone|in) \w+ ?=)": "is",
    r"\bgoes (?!on\b)": "is sent, moves, is removed",
    r"\btook\b|\btaken in\b": "acknowledged, accepted",
    r"\bthe office\b|\boffice's\b": "the frontend",
    r"\bparcels?\b": "session record",
    r"\bcells?\b": "cluster",
    r"\bfederation\b": "shared waiting room",
    r"\bwhereabouts\b": "session directory",
    r"\b(?:crossing|homecoming|homeward|abroad|landing|departing|departure|emptying|yielding)s?\b": "migration, drain, evacuation, return",
    r"\btrail\b": "audit log",
    r"\b(?:is|are) none\b|\bwhere there is no\b": "does not exist, if there is no",
    r"\bof ours\b|\bof theirs\b": "this server's, the operator's",
    r"\b(?:the|a) way (?:here|there|around|back|out|in)\b": "route, path, cycle",
    r"\bwhere (?:it|he|she|they|there|nothing|one|two|several) ": "if or when",
    r"\bleaves? (?:at|in|with|by|the)\b": "is deleted, is sent, ends",
}
_PHRASE = [re.compile(phrase, re.IGNORECASE) for phrase in PHRASES]
# A docstring does not begin with a clause or a pronoun: its first word is a verb, or the noun that the thing is.
_BEGUN = re.compile(
    r"(?:What|Who|Whom|Whose|Where|When|Which|Why|How|Of|Nobody|Somebody|It|They|Those|These|There|Until|So|As|Its|Their|Nothing|Whoever|Everything)\b"
)
# A module's docstring begins with a verb.
VERBS = frozenset(
    """
    accept account act add admit aggregate allow answer apply approve arrange ask assemble attach attack authenticate authorise back ban batch
    begin bind block blur bound bring bridge broadcast build bundle cache calculate call cap carry catch challenge change check choose classify
    clean clear close cluster collect combine compare compile compress compute configure confirm connect consume contain control convert copy
    correct count create cut deal decide declare delay decode decrypt define delete deliver derive describe detach detect determine discard
    disclose dispatch distribute divide document draw drain drop encode encrypt end enforce enrol ensure enter establish estimate evacuate
    evaluate examine exchange execute expire explain export expose express extend extract fetch fill filter find fold follow forget format
    forward frame gate gather generate get give grant group guard handle hand hash hide hold hook identify implement import index inform
    initialise insert inspect install intern interpret introduce invite issue join judge keep key know label lead learn leave let lift limit link
    list listen load locate lock log look loop maintain make manage map mark mask match measure merge migrate mint model monitor move mount
    name notify number observe offer open operate order own pack pair park parse part pass pay peel perform pick ping place plan play poll pool
    prepare
    present print process produce protect prove provide publish pull purge push put queue quote rate reach react read rebuild receive
    recognise record recover redact redirect reduce refresh refuse register reject relay release reload remember remind remove render renew
    repeat replace report represent request require reserve resolve respond restore restrict resume return reverse review rewrite roll route
    run sample save say scan schedule scope score screen scroll seal search see select send separate serve set settle shape share shed show shut
    sign simulate size skip solve sort speak split stage start state stop store stream strip submit subscribe suggest sum summarise supervise switch
    tag
    take tell test throttle time track train transfer transform translate treat trim try tune tunnel turn unpack update upgrade upload use validate
    verify version visit wait wake walk warn watch weigh withdraw work wrap write
    """.split()  # noqa: SIM905 - a list of words is read as words
)


def spoken(source: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a source, with the line of each."""
    text = source.read_text()
    if source.suffix == ".js":
        for found in re.finditer(r"/\*\*(.*?)\*/|(?:^|\s)//[ ]([^\n]*(?:\n[ \t]*//[ ][^\n]*)*)", text, re.DOTALL):
            words = found[1] or found[2]
            yield (
                text.count("\n", 0, found.start(1 if found[1] else 2)) + 1,
                re.sub(r"\n\s*(?://|\*) ?", " ", words).strip(),
            )
        return
    if source.suffix == ".pyx":
        for found in re.finditer(r'"""(.*?)"""|(?<!["\'])#([^\n]*)', text, re.DOTALL):
            yield text.count("\n", 0, found.start()) + 1, found[1] or found[2] or ""
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node)
            if words:
                yield node.body[0].lineno, words
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def verb(word: str) -> bool:
    """Whether a word is one of VERBS, as an order or in the third person."""
    word = word.lower().rstrip(".,:;")
    return bool(
        {
            word,
            word.removesuffix("s"),
            word.removesuffix("es"),
            word.removesuffix("ies") + "y",
            word.removesuffix("es") + "e",
        }
        & VERBS
    )


def phrases(source: Path) -> list[str]:
    """Each old phrase of a source, as `file:line: phrase → what to write`."""
    found = []
    for line, words in spoken(source):
        place = f"{shown(source)}:{line}"
        if not words.startswith("#") and (begun := _BEGUN.match(words)):
            found.append(f"{place}: begins with {begun[0]} → a verb, or the noun that it is")
        for phrase, plainly in zip(_PHRASE, PHRASES.values(), strict=True):
            found += [f"{place}: {one[0]} → {plainly}" for one in phrase.finditer(words)]
    first = next(iter(spoken(source)), (0, ""))
    if first[0] <= 1 and not verb(first[1].split(maxsplit=1)[0] if first[1].split() else ""):
        found.append(f"{shown(source)}:1: the module's docstring → begins with a verb")
    return found


def counts() -> dict[str, int]:
    """Old phrases by file, of the files that have some."""
    return {
        shown(source): number
        for source in tracked(*SOURCES)
        if shown(source) not in FOREIGN and (number := len(phrases(source)))
    }


def listed() -> dict[str, int]:
    """What the list allows each file."""
    return {name: int(number) for number, name in (line.split() for line in LIST.read_text().splitlines())}


def test_no_file_has_more_old_phrases_than_the_list_allows() -> None:
    allowed = listed()
    assert {name: number for name, number in counts().items() if number > allowed.get(name, 0)} == {}


def test_the_list_names_files_that_exist() -> None:
    assert [name for name in listed() if not (ROOT / name).is_file()] == []


def test_a_phrase_and_a_first_word_are_seen(tmp_path: Path) -> None:
    assert [word for word in ("Writes", "keep", "Tries") if not verb(word)] == []
    assert not verb("the")
    assert _BEGUN.match("Who has it.")
    assert not _BEGUN.match("Whole pages.")
    source = tmp_path / "one.py"
    source.write_text('"""Keep rows. Rule: who asks is told nothing."""\n')
    assert [sum(bool(phrase.search(words)) for phrase in _PHRASE) for _, words in spoken(source)] == [2]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        LIST.write_text("".join(f"{number} {name}\n" for name, number in sorted(counts().items())))
    else:
        print("\n".join(one for name in sys.argv[1:] for one in phrases((ROOT / name).resolve())))
