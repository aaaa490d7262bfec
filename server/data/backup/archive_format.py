"""Write and read the archive of a whole backup: a tar file whose members carry their SHA-256, with a manifest of all of them at its end.

Order of the members: `sealed.box`, `settings.toml`, `statement/…`, `database`, `objects/…`, `manifest.json`. An archive is written and read
in one pass, CHUNK bytes at a time. The header of the manifest has its signatures (`backup_signature`).
**Invariant:** an archive without its manifest, or with a changed byte in a member, is Damaged; a tool such as tar reads it all the same.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import orjson

FORMAT: Final = 1
CHUNK: Final = 1 << 20
BLOCK: Final = tarfile.BLOCKSIZE
DIGEST: Final = "SERENDIP.sha256"
SIGNATURE: Final = "SERENDIP.signature."  # followed by its name
SEALED, SETTINGS, DATABASE, MANIFEST = "sealed.box", "settings.toml", "database", "manifest.json"
STATEMENT, OBJECTS = "statement/", "objects/"
LARGEST_SMALL: Final = 64 << 20  # bytes of a member that is read whole
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
LARGEST_HEAD: Final = 64 << 10  # bytes of the extension of a header, which has a digest and perhaps a long name
_safe = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,250}").fullmatch


class Damaged(ValueError):
    """The archive is incomplete or changed; the text names the member."""


@dataclass(slots=True)
class Manifest:
    """Content of an archive. `rows`: by table of the database; `objects`, `bytes`: of `objects/`; `digest`: over the digests of all members."""

    format: int = FORMAT
    version: str = ""
    created: int = 0
    database: str = ""  # sqlite or postgresql
    revision: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    keys: bool = False  # whether the keys are in it, sealed
    files: int = 0
    objects: int = 0
    bytes: int = 0
    digest: str = ""
    ledger: int = 0  # time of the signed ledger beside it when it was made; 0 without one


class _Head(tarfile.TarInfo):
    """A header as `Writer` makes them. The library reads extensions of any size into memory, and an archive may come from a foreign hand."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        extends = self.type == tarfile.XHDTYPE and 0 <= self.size <= LARGEST_HEAD
        if not extends and self.type != tarfile.REGTYPE:
            raise Damaged(f"{self.name[:80]!r}: no member of a backup")
        return super()._proc_member(tar)  # type: ignore[misc]

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise Damaged(f"{self.name[:80]!r}: no member of a backup")


class Totals:
    """Counts members as they pass; a writer and a reader of the same archive have the same totals."""

    def __init__(self) -> None:
        self.files = self.objects = self.bytes = 0
        self._digest = hashlib.sha256()

    def add(self, name: str, size: int, digest: str) -> None:
        """Count a member."""
        if name.startswith(OBJECTS):
            self.objects += 1
            self.bytes += size
        else:
            self.files += 1
        self._digest.update(f"{name}\0{size}\0{digest}\n".encode())

    @property
    def found(self) -> dict[str, object]:
        """The totals, by the manifest's names."""
        return {"files": self.files, "objects": self.objects, "bytes": self.bytes, "digest": self._digest.hexdigest()}


class Writer:
    """Yields the bytes of an archive, member by member; `end` yields the manifest. `sign`: returns its signatures, by name."""

    def __init__(self, sign: Callable[[bytes], Mapping[str, str]]) -> None:
        self._totals = Totals()
        self._sign = sign

    def body(self, name: str, body: bytes) -> Iterator[bytes]:
        """Yield a member from memory."""
        yield from self._member(name, len(body), hashlib.sha256(body).hexdigest(), [body])

    def file(self, name: str, path: Path) -> Iterator[bytes]:
        """Yield a member from a file, which is read twice: the header has its digest."""
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            size = opened.tell()
            opened.seek(0)
            yield from self._member(name, size, digest, iter(lambda: opened.read(CHUNK), b""))

    def end(self, manifest: Manifest) -> Iterator[bytes]:
        """Yield the manifest with the totals, and the end of the archive."""
        for name, value in self._totals.found.items():
            setattr(manifest, name, value)
        body = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)
        signatures = {f"{SIGNATURE}{name}": value for name, value in self._sign(body).items()}
        yield from self._member(MANIFEST, len(body), hashlib.sha256(body).hexdigest(), [body], signatures)
        yield bytes(2 * BLOCK)

    def _member(
        self, name: str, size: int, digest: str, chunks: Iterable[bytes], more: Mapping[str, str] = NOTHING
    ) -> Iterator[bytes]:
        head = tarfile.TarInfo(name)
        head.size, head.mode, head.pax_headers = size, 0o600, {DIGEST: digest, **more}
        yield head.tobuf(tarfile.PAX_FORMAT)
        sent = 0
        for chunk in chunks:
            sent += len(chunk)
            yield chunk
        if sent != size:
            raise Damaged(f"{name}: changed while it was read")
        yield bytes(-size % BLOCK)
        self._totals.add(name, size, digest)


class Member:
    """One member while it is read: take its `chunks` or its `body`, or pass on."""

    def __init__(self, name: str, size: int, source: Callable[[int], bytes]) -> None:
        self.name = name
        self.size = size
        self.digest = hashlib.sha256()
        self._left = size
        self._source = source

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left of it. Raises Damaged if the archive ends."""
        while self._left:
            try:
                chunk = self._source(min(CHUNK, self._left))
            except tarfile.TarError:
                chunk = b""
            if not chunk:
                raise Damaged(f"{self.name}: the archive ends within it")
            self._left -= len(chunk)
            self.digest.update(chunk)
            yield chunk

    def body(self) -> bytes:
        """Return all of it. Raises Damaged."""
        if self.size > LARGEST_SMALL:
            raise Damaged(f"{self.name}: {self.size} bytes are too many")
        return b"".join(self.chunks())


def members(
    file: BinaryIO, told: Callable[[Manifest], None], check: Callable[[bytes, Mapping[str, str]], None]
) -> Iterator[Member]:
    """Yield the members but the manifest, each checked before the next; the manifest is checked and passed to `told` at the end.

    `check`: raises, given the manifest and its signatures by name, what this raises then. Raises Damaged.
    """
    totals, manifest = Totals(), None
    try:
        with tarfile.open(fileobj=file, mode="r|", bufsize=CHUNK, tarinfo=_Head) as tar:
            while (head := tar.next()) is not None:
                if manifest is not None:
                    raise Damaged(f"{head.name}: behind the manifest")
                if not head.isreg() or head.issparse() or head.size < 0 or not _safe(head.name) or ".." in head.name:
                    raise Damaged(f"{head.name[:80]!r}: no member of a backup")
                opened = tar.extractfile(head)
                if opened is None:
                    raise Damaged(f"{head.name}: no file")
                one = Member(head.name, head.size, opened.read)
                if one.name == MANIFEST:
                    body = one.body()
                    manifest = _read(body)
                    check(body, _signatures(head.pax_headers))
                else:
                    yield one
                for _ in one.chunks():
                    pass
                digest = one.digest.hexdigest()
                if head.pax_headers.get(DIGEST) != digest:
                    raise Damaged(f"{one.name}: is not what was written (SHA-256)")
                if one.name != MANIFEST:
                    totals.add(one.name, one.size, digest)
                tar.members = []  # type: ignore[attr-defined]  # the library would keep them all
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise Damaged(f"no archive, or cut off ({type(error).__name__})") from None
    if manifest is None:
        raise Damaged("it has no manifest: it was not written to its end, or was cut off")
    for name, value in totals.found.items():
        if getattr(manifest, name) != value:
            raise Damaged(f"the manifest says {name} {getattr(manifest, name)}, and there is {value}")
    told(manifest)


def _signatures(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(SIGNATURE): value for name, value in headers.items() if name.startswith(SIGNATURE)}


def _read(body: bytes) -> Manifest:
    try:
        values: Mapping[str, Any] = orjson.loads(body)
        known = {"ledger": 0, **values}  # programs before 0.3 signed none
        known = {name: known[name] for name in Manifest.__slots__}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Damaged(f"{MANIFEST}: cannot be read") from None
    if known["format"] != FORMAT:
        raise Damaged(f"{MANIFEST}: format {known['format']}, and this program reads {FORMAT}")
    return Manifest(**known)
