"""List the fuzz targets: which file feeds what, from which seeds, within how many steps.

**Invariant:** one row a target, and a row for each `fuzz_*.py` and `fuzz_*.c` below `tests/`. A target in Python is a module with `fuzz(data)`,
which raises where the parser breaks its contract or differs from the oracle; `WORDS`, its dictionary; and a folder `corpus/NAME/` or `seeds()`,
or both. `enter(data)`, if it has one, is the parser with its invariants alone; then `fuzz` runs for one input in ORACLE_EVERY, and for each that
is replayed.
"""

import importlib
import random
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
ORACLE_EVERY: Final = 256
HISTORIES: Final = 48  # seeds of a target that is a history of operations
COSTLY: Final = Path(__file__).parent / "costly"


class Target(NamedTuple):
    """One target. `steps`: the most that an input of at most `size` bytes may take; `native`: function of `native_entries` that is its entry."""

    name: str
    file: str
    feeds: str
    oracle: str
    steps: int
    size: int = 4096
    is_bytes: bool = False  # a parser of bytes, of which 10,000 executions a second are expected
    native: str = ""
    histories: bool = False  # its seeds are random operations

    @property
    def source(self) -> Path:
        """Return the file."""
        return ROOT / self.file

    @property
    def is_c(self) -> bool:
        """Whether it is written in C."""
        return self.file.endswith(".c")

    @property
    def corpus(self) -> Path:
        """Return the folder of seeds that are kept in the sources, fixed findings included."""
        return self.source.parent / "corpus" / self.source.stem.removeprefix("fuzz_")


ROWS: Final = (
    Target("frames", "tests/ext/net/fuzz_frames.py", "frames of clients and of hosts", "wsproto; an echo and a chat", 52_000, 4096, True, "frames"),
    Target("heads", "tests/ext/net/fuzz_heads.py", "request heads of `/ws`", "h11", 330_000, 4096, True),
    Target("chatline", "tests/ext/net/fuzz_chatline.py", "chat lines, UTF-8", "the general parser, Python's codec", 140_000, 4096, True, "chatline"),
    Target("wheel", "tests/ext/net/fuzz_wheel.py", "the timer wheel", "a model of ten lines", 135_000, histories=True),
    Target("scanner", "tests/ext/text/fuzz_scanner.py", "phrases, spelled words, the classifier", "`word_spans`", 8_500_000),
    Target("forms", "tests/server/http/request/fuzz_forms.py", "requests of Omegle's protocol", "a saved log reads as written", 370_000),
    Target("queries", "tests/server/http/request/fuzz_queries.py", "form-encoded pairs", "urllib", 100_000, 4096, True),
    Target("scrub", "tests/server/realtime/video/fuzz_scrub.py", "SDP and candidates of WebRTC", "ipaddress", 1_400_000),
    Target("mail", "tests/server/trust/data_requests/fuzz_mail.py", "mails with requests", "bounds of the result", 13_000_000),
    Target("cookies", "tests/ext/accept/fuzz_cookies.py", "cookies, forwarded addresses, IP addresses", "a split, ipaddress", 255_000, 4096, True),
    Target("tokens", "tests/server/ops/security/fuzz_tokens.py", "tokens, reference numbers", "one spelling each", 14_000, 1024, True),
    Target("captcha", "tests/server/trust/challenge/fuzz_answers.py", "solutions, verdicts of captcha providers", "only the right one", 6_500),
    Target("jpeg", "tests/server/trust/pictures/fuzz_jpeg.py", "heads of JPEGs, messages about pictures", "Pillow", 38_000, 8192, True),
    Target("ipc", "tests/server/fleet/ipc/fuzz_messages.py", "messages between processes", "they read as written", 800_000, 4096, True),
    Target("envelopes", "tests/server/fleet/rpc/fuzz_envelopes.py", "requests between hosts", "seals", 950_000, 4096, True),
    Target("beats", "tests/server/fleet/cluster/fuzz_beats.py", "what hosts tell all others", "it reads as written", 145_000, 4096, True),
    Target("records", "tests/engine/migrate/fuzz_records.py", "session records", "an engine takes all or nothing", 1_500_000, 8192),
    Target("rows", "tests/engine/rooms/fuzz_rows.py", "rows of the waiting room", "a hub and a worker read what passed", 240_000),
    Target("ring", "tests/ext/base/fuzz_ring.py", "rows in shared memory", "a plain list", 110_000, 4096, True),
    Target("tunnel", "tests/ext/migrate/fuzz_tunnel.py", "both directions of a tunnel", "whole frames by a reference", 195_000),
    Target("arena", "tests/c/fuzz_arena.c", "the matcher's arena and lists", "plain arrays", 19_500_000, 1024, histories=True),
    Target("hashtable", "tests/c/fuzz_hashtable.c", "the matcher's hash table", "a plain array", 31_000_000, 1024, histories=True),
    Target("postings", "tests/c/fuzz_postings.c", "posting lists and their sweep", "a plain array", 14_400_000, 1024, histories=True),
    Target("matcher", "tests/c/fuzz_matcher.c", "the matcher, in its portable build", "brute force", 10_500_000, 1024, histories=True),
    Target("tap", "tests/c/fuzz_tap.c", "the ring that screening reads", "a plain list", 400_000, 1024, histories=True),
)  # fmt: skip
TARGETS: Final = {row.name: row for row in ROWS}


def module_of(target: Target) -> ModuleType:
    """Import the module of a target in Python."""
    return importlib.import_module(target.file.removesuffix(".py").replace("/", "."))


def seeds(target: Target) -> list[bytes]:
    """Return the inputs that a search begins with: kept ones, those that the module makes of the tests' examples, random histories."""
    found = [file.read_bytes() for file in sorted(target.corpus.glob("*"))]
    if not target.is_c:
        found += getattr(module_of(target), "seeds", list)()
    if target.histories:
        found += _histories(target)
    worst = COSTLY / target.name
    return [*found, *([worst.read_bytes()] if worst.exists() else [])]


def write_seeds(target: Target, folder: Path) -> None:
    """Write the seeds into a folder, and the dictionary as NAME.dict beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (folder / f"seed-{number:03}").write_bytes(data)
    if found := words(target):
        (folder.parent / f"{target.name}.dict").write_text(dictionary(found), "ascii")


def _histories(target: Target) -> list[bytes]:
    """Return random operations, short and long; in half of them small numbers are frequent."""
    dice = random.Random(target.name)
    made = []
    for number in range(HISTORIES):
        data = dice.randbytes(8 << number % 8)
        made.append(bytes(byte & 0x1F if number % 2 and dice.random() < 0.6 else byte for byte in data))
    return [data[: target.size] for data in made]


def words(target: Target) -> list[bytes]:
    """Return the dictionary of a target; one in C has none."""
    return [] if target.is_c else [word for word in module_of(target).WORDS if word]


def dictionary(entries: list[bytes]) -> str:
    """Return a dictionary as libFuzzer reads it: at most 64 bytes a word."""
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word[:64]) + '"\n' for word in entries)
