"""Keep the compiled phrases of this program's rules in a file, which the screening processes of a host map, so that they share its memory.

A build of a checkout keeps a file beside the rules (`ship`); where that is absent or was made from other rules, one in the data folder is used.

**Invariant:** a file of the data folder is used only if its owner is this process's user, and no other user may write or read it. The name of any
file is the hash of all that it was made from, and its content has the hash that it says. It holds rules, never a line of a chat.
"""

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from ext.text.phrase_index import HEADER_NUMBERS, MAGIC_NUMBER, word_hash
from server.trust.screening.rule_compiler import (
    OWN,
    CompiledPhrases,
    PhraseSet,
    compile_own_rules,
    open_phrases,
)

FOLDER: Final = "cache"  # in the data folder
FILE_MAX: Final = 64 * 1024 * 1024
_MAGIC: Final = b"serendip rules 1\n"
_HEAD: Final = len(_MAGIC) + 32 + 8  # the hash of the rest, and the bytes of JSON
_ALIGNED: Final = 64


def own_phrases(data: Path | None, shipped: Path = OWN) -> tuple[PhraseSet, str]:
    """Return the phrases of this program's rules, and the reason why no file keeps them, empty if one does.

    `data`: the data folder; None: no file of it is wanted. `shipped`: the folder of the build's file.

    The first process that needs them compiles them in a child (so it may have no other thread), and others wait for it. Without a file each process
    compiles its own.
    """
    name = _file_name()
    try:
        phrases = _read(shipped / name, ours=True)
        if phrases is not None:
            return phrases, ""
        if data is None:
            return open_phrases(compile_own_rules()), ""
        folder = data / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        phrases = _read(path)
        if phrases is None:
            with _locked(folder):
                phrases = _read(path)
                if phrases is None:
                    _write_in_child(path)
                    phrases = _read(path)
    except OSError as error:
        return open_phrases(compile_own_rules()), str(error)
    return (phrases, "") if phrases is not None else (open_phrases(compile_own_rules()), f"{path} is refused")


def kept_phrases(data: Path, shipped: Path = OWN) -> PhraseSet | None:
    """Return the phrases of this program's rules if a file keeps them; None if no file may be used. Compiles nothing. Raises OSError."""
    name = _file_name()
    return _read(shipped / name, ours=True) or _read(data / FOLDER / name)


def ship(folder: Path = OWN) -> None:
    """Compile the rules into a file beside them: a part of the program, with its owner. Raises BadRules, OSError."""
    path = folder / _file_name()
    if _read(path, ours=True) is None:
        _write(path, compile_own_rules(), mode=0o644)


def content_key() -> str:
    """Return the hash of the input of a compilation: rules, this program's code, the index, the year of ages, Unicode, the kind of machine."""
    made_from = hashlib.sha256()
    about = (unicodedata.unidata_version, datetime.now(UTC).year, sys.byteorder, sys.version)
    index = MAGIC_NUMBER, HEADER_NUMBERS, word_hash(FOLDER)
    made_from.update(repr((about, index)).encode())
    folding = Path(__file__).parents[3] / "engine" / "matching"
    code = [
        folding / "confusable_characters.py",
        folding / "interest_normalisation.py",
        *sorted(Path(__file__).parent.glob("*.py")),
    ]
    for path in (*sorted(OWN.glob("*.toml")), *code):
        made_from.update(path.name.encode() + path.read_bytes())
    return made_from.hexdigest()[:32]


def _file_name() -> str:
    return f"rules-{content_key()}.bin"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path, *, ours: bool = False) -> PhraseSet | None:
    """Return the phrases of a file, mapped; None if no file may be used. Raises OSError.

    `ours`: the file belongs to the program, so whoever may write it may also change the code.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EACCES):  # none, a link, or another user's
            return None
        raise
    try:
        about = os.fstat(descriptor)
        trusted = ours or (about.st_uid == os.geteuid() and not about.st_mode & 0o077)
        if not stat.S_ISREG(about.st_mode) or not trusted or not _HEAD < about.st_size <= FILE_MAX:
            return None
        mapped = memoryview(mmap.mmap(descriptor, about.st_size, access=mmap.ACCESS_READ))
    finally:
        os.close(descriptor)
    digest = mapped[len(_MAGIC) : len(_MAGIC) + 32]
    if bytes(mapped[: len(_MAGIC)]) != _MAGIC or hashlib.sha256(mapped[len(_MAGIC) + 32 :]).digest() != digest:
        return None
    size = int.from_bytes(mapped[_HEAD - 8 : _HEAD], "little")
    try:
        return open_phrases(
            CompiledPhrases(mapped[_aligned(_HEAD + size) :], orjson.loads(mapped[_HEAD : _HEAD + size]))
        )
    except (ValueError, KeyError, TypeError):
        return None


def _write_in_child(path: Path) -> None:
    """Compile the rules and write their file in a process of its own, whose memory (60 MB) returns to the system. Raises OSError."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _write(path, compile_own_rules())
            status = 0
        except OSError as error:
            status = error.errno or 1
        finally:
            os._exit(status)  # whatever was raised, the child must not continue as its parent
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(status, f"{path} was not written ({status})")


def _write(path: Path, compiled: CompiledPhrases, mode: int = 0o600) -> None:
    """Write a file whole or not at all, and remove those that were made from something else. Raises OSError."""
    about = orjson.dumps(compiled.about)
    body = len(about).to_bytes(8, "little") + about
    body += bytes(_aligned(_HEAD + len(about)) - _HEAD - len(about)) + compiled.body
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:
        file.write(_MAGIC + hashlib.sha256(body).digest() + body)
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
    for old in path.parent.glob("rules-*.bin"):
        if old != path:
            old.unlink(missing_ok=True)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
