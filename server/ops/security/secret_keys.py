"""The service's secret: one file, one sub-key a purpose, the previous one accepted for a while after a rotation.

Rule: nothing but this module reads `DATA/secret`; whoever needs a key asks for its purpose. Keys that outlive every
rotation (LASTING: who is behind a cookie, what saved logs are found by, what receipts are signed with) are derived once and then only read from
`DATA/keys/`. What is kept is sealed with one of several keys there, the newest of which seals (`rotate_kept`). Keys that must be destroyable
(live pseudonyms and addresses, one an epoch) are random and stand there too.
The same `secret` and `keys/` on every host of one service. No backup of the database holds either.
"""

import os
import secrets
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = "secret"
PREVIOUS = "secret.previous"
EPOCHS = "keys"
BYTES = 32
# What is authenticated and lives longest in a browser is the college proof, 90 days at most; the rest lives minutes.
PREVIOUS_LIFE = 90 * 86400.0


class Purpose(StrEnum):
    """What a sub-key is for; the text is HKDF's info and never changes once used."""

    COOKIE = "serendip identity cookie, live"
    TOKEN = "serendip resume token"
    COLLEGE = "serendip college proof"
    LOG_DELETION = "serendip log deletion"
    TURN = "serendip turn credentials"
    AVOID = "serendip persons not to meet again"
    KEPT = "serendip pseudonyms that are kept"
    RIGHTS = "serendip rights key"
    PAGE = "serendip page token"
    RECEIPT = "serendip receipts"
    CHALLENGE = "serendip challenges"
    CLUSTER = "serendip words between hosts"
    PLACE = "serendip places of short names"
    DIGEST = "serendip digests of programs' users"


LASTING = {
    Purpose.COOKIE: "identity.key",
    Purpose.KEPT: "kept.key",
    Purpose.RECEIPT: "receipt.key",
}  # files in `DATA/keys/`


KEPT_MAX = 255  # the id of a key is a byte before each value; 0 is the lasting key of Purpose.KEPT


class SecretError(Exception):
    """The secret cannot be used as it stands; the text says why and names the file."""


@dataclass(frozen=True, slots=True)
class Secret:
    """32 random bytes and the one-byte id that tells which secret sealed something."""

    material: bytes
    id: int

    def derive(self, purpose: Purpose) -> bytes:
        """The 32-byte sub-key of one purpose."""
        return _derive(self.material, purpose.value)

    def fingerprint(self) -> bytes:
        """16 bytes by which this secret is known again; they tell nothing of it."""
        return _derive(self.material, "serendip fingerprint", 16)


@dataclass(frozen=True, slots=True)
class Keys:
    """The present secret, the previous one while it is accepted, and the keys that no rotation touches, by their purpose.

    `kept`: further keys of kept values, by their ids from 1 on; the highest seals.
    """

    present: Secret
    previous: Secret | None = None
    lasting: Mapping[Purpose, bytes] = field(default_factory=dict)
    kept: Mapping[int, bytes] = field(default_factory=dict)

    def derive(self, purpose: Purpose) -> bytes:
        """The sub-key that seals now."""
        return self.present.derive(purpose)

    def of_identity(self, purpose: Purpose) -> bytes:
        """A sub-key of the key of identities: it opens what it sealed for as long as anybody is known by a cookie."""
        return _derive(self.lasting[Purpose.COOKIE], purpose.value)

    def accepted(self, purpose: Purpose) -> dict[int, bytes]:
        """Every sub-key that still opens, by its id; the present one first."""
        known = (self.present, self.previous)
        return {secret.id: secret.derive(purpose) for secret in known if secret is not None}


def load(data: Path, now: float | None = None) -> Keys:
    """Read the keys of a data folder; make folder (0700), secret and lasting keys (0600) where there are none. Raises SecretError."""
    folder(data)
    if not (data / SECRET).exists():
        _write_new(data / SECRET, secrets.token_bytes(BYTES))
    present = _read(data / SECRET)
    lasting = _lasting(data / EPOCHS, present)
    kept = {ident: _read(file).material for ident, file in _kept_files(data).items()}
    old = data / PREVIOUS
    if old.exists() and (time.time() if now is None else now) - old.stat().st_mtime < PREVIOUS_LIFE:
        return Keys(present, _read(old), lasting, kept)
    return Keys(present, None, lasting, kept)


def rotate(data: Path) -> Keys:
    """Put a new secret in place; the present one becomes the previous one. A crash leaves either state. The lasting keys stay."""
    keys = load(data)
    material = secrets.token_bytes(BYTES)
    while _identify(material) == keys.present.id:  # an id tells the two apart
        material = secrets.token_bytes(BYTES)
    _replace(data / PREVIOUS, keys.present.material)
    _replace(data / SECRET, material)
    return load(data)


def rotate_kept(data: Path) -> int:
    """Add a key that seals what is kept from the next start on, and return its id. What the others sealed stays readable. Raises SecretError."""
    load(data)
    ident = max(_kept_files(data), default=0) + 1
    if ident > KEPT_MAX:
        raise SecretError(f"{data / EPOCHS}: {KEPT_MAX} keys of kept values are there, which is the most")
    _write_new(data / EPOCHS / f"kept.{ident}.key", secrets.token_bytes(BYTES))
    return ident


def _kept_files(data: Path) -> dict[int, Path]:
    """The further keys of kept values, by their ids."""
    found = {file.name.removeprefix("kept.").removesuffix(".key"): file for file in (data / EPOCHS).glob("kept.*.key")}
    return {
        int(ident): file
        for ident, file in found.items()
        if ident.isascii() and ident.isdecimal() and 0 < int(ident) <= KEPT_MAX
    }


def folder(data: Path) -> None:
    """Make the data folder, for its owner alone. Raises SecretError where it cannot be had.

    An empty folder is closed to others; one that holds things keeps its mode (it may be shared on purpose, what is
    made inside is closed by itself).
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.listdir(data):
            data.chmod(0o700)
    except OSError as error:
        raise SecretError(f"{data}: {error.strerror}") from None


def _lasting(directory: Path, present: Secret) -> dict[Purpose, bytes]:
    """The keys that no rotation touches; one that is not there is made from the present secret, as every host would."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SecretError(f"{directory}: {error.strerror}") from None
    for purpose, name in LASTING.items():
        if not (directory / name).exists():
            _write_new(directory / name, present.derive(purpose))
    return {purpose: _read(directory / name).material for purpose, name in LASTING.items()}


def _read(file: Path) -> Secret:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            material = opened.read(BYTES + 1)
    except OSError as error:
        raise SecretError(f"{file}: {error.strerror}") from None
    if mode & 0o077:
        raise SecretError(f"{file}: others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 it")
    if len(material) != BYTES:
        raise SecretError(f"{file}: must hold {BYTES} bytes")
    return Secret(material, _identify(material))


def _write_new(file: Path, material: bytes) -> None:
    """Make a file whole or not at all; where another process was faster, its file stays."""
    made = _temporary(file, material)
    try:
        os.link(made, file)
    except FileExistsError:
        return
    finally:
        made.unlink()
    _sync(file.parent)


def _replace(file: Path, material: bytes) -> None:
    _temporary(file, material).rename(file)
    _sync(file.parent)


def _temporary(file: Path, material: bytes) -> Path:
    made = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(material)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        made.unlink(missing_ok=True)
        raise SecretError(f"{file}: {error.strerror}") from None
    return made


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _derive(material: bytes, info: str, length: int = BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info.encode()).derive(material)


def _identify(material: bytes) -> int:
    return _derive(material, "serendip key id", 1)[0]
