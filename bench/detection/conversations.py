"""Read ordinary conversations, in which a finding is a false alarm: chats of students and of strangers in English, small talk in 28 languages.

Two sets are packages (`chitchat-dataset`, `chatterbot-corpus`), so they are there offline; others are pinned files (`public_sets.toml`). Findings
that are right all the same (a true link) are listed in `right_findings.tsv` by class, conversation and number of the line. **Invariant:** as with
labelled lines, a conversation is in exactly one of the two halves (`bench.detection.labelled_lines`).
"""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from bench.detection.labelled_lines import PublicFile, half_of, pinned_conversations, read_public
from bench.support.results import ROOT

RIGHT: Final = ROOT / "bench" / "detection" / "right_findings.tsv"
CHITCHAT: Final = "chitchat"
SMALL_TALK: Final = "chatterbot"
LANGUAGES: Final = {
    "bengali": "bn", "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr", "german": "de", "hebrew": "he", "hindi": "hi",
    "hinglish": "hi", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "marathi": "mr", "oriya": "or", "persian": "fa",
    "portuguese": "pt", "russian": "ru", "spanish": "es", "swedish": "sv", "tamil": "ta", "telugu": "te", "thai": "th",
    "traditionalchinese": "zh", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "yoruba": "yo",
}  # fmt: skip


class Conversation(NamedTuple):
    """Lines of one chat in order, both sides mixed. `key`: its name in its set."""

    set: str
    key: str
    language: str
    half: str
    lines: list[str]


def conversations() -> Iterator[Conversation]:
    """Yield the ordinary conversations of packages."""
    yield from _chitchat()
    yield from _small_talk()


def fetched_conversations(folder: Path) -> Iterator[Conversation]:
    """Yield the ordinary conversations of the public files that are in the folder. Raises BadSet."""
    for file in pinned_conversations():
        yield from public_conversations(file, folder)


def public_conversations(file: PublicFile, folder: Path) -> Iterator[Conversation]:
    """Yield the conversations of a public file; none if it is not in the folder. Raises BadSet.

    The file is a list or a table of conversations. `turns`: the name of a conversation's list of lines, `text`: of a line's words; `half`: the half
    of all of them, if the set is in one.
    """
    body, about = read_public(file, folder), file.about
    if body is None:
        return
    chats = json.loads(body)
    for key, chat in chats.items() if isinstance(chats, dict) else enumerate(chats):
        name = f"{file.name}/{key}"
        lines = [text for turn in chat[about["turns"]] if (text := " ".join(turn[about["text"]].split()))]
        half = about.get("half") or half_of(about["name"], name)
        yield Conversation(about["name"], name, file.language, half, lines)


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is missing: make build")
    return Path(found.origin).parent


def _chitchat() -> Iterator[Conversation]:
    chats = json.loads((_folder("chitchat_dataset") / "dataset.json").read_bytes())
    for key, chat in chats.items():
        lines = [said["text"] for turn in chat["messages"] for said in turn if said["text"].strip()]
        yield Conversation(CHITCHAT, key, "en", half_of(CHITCHAT, key), lines)


def _small_talk() -> Iterator[Conversation]:
    folder = _folder("chatterbot_corpus") / "data"
    for path in sorted(folder.glob("*/*.yml")):
        body = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
        for place, chat in enumerate(body["conversations"]):
            key = f"{path.parent.name}/{path.stem}/{place}"
            lines = [str(said) for said in chat if said is not None]
            yield Conversation(SMALL_TALK, key, LANGUAGES[path.parent.name], half_of(SMALL_TALK, key), lines)


def right_findings(path: Path = RIGHT) -> frozenset[tuple[str, str, int]]:
    """Return the reviewed findings that are right: class, conversation, and number of the line from 1."""
    rows = [row.split("\t") for row in path.read_text("utf-8").splitlines() if row and not row.startswith("#")]
    return frozenset((kind, key, int(number)) for kind, key, number in rows)
