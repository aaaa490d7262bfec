"""Read and rotate the service's secret, and derive one key per purpose; the previous secret stays valid for a while after a rotation.

**Invariant:** only this module reads `DATA/secret`. All hosts of a service have the same `secret` and `keys/`, and a backup holds them only sealed
to the operator's public key.
"""

# Keys that outlive every rotation (LASTING: identity cookies, kept pseudonyms, signatures of receipts) are derived once and then only read from
# `DATA/keys/`. Stored values are sealed with the newest of several keys there (`rotate_kept`). Keys that must be destroyable (live pseudonyms and
# addresses, one per epoch) are random and are there too.

import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = "secret"
PREVIOUS = "secret.previous"
CLOSED = "closed"  # in the data folder of a service that was closed: its keys are destroyed, and no new ones are made
EPOCHS = "keys"
BYTES = 32
# The college proof lives longest in a browser, 90 days at most; other sealed values live minutes.
PREVIOUS_LIFE = 90 * 86400.0


class Purpose(StrEnum):
    """Purpose of a sub-key; the text is HKDF's info and never changes once used."""

    COOKIE = "serendip identity cookie, live"
    TOKEN = "serendip resume token"
    COLLEGE = "serendip college proof"
    LOG_DELETION = "serendip log deletion"
    TURN = "serendip turn credentials"
    AVOID = "serendip persons not to meet again"
    PAIR = "serendip persons who meet again"
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


LOST = (
    "{}: it is lost, for {} has keys that were used with it. Put its copy back (mode 0600, of the service's user). If there is none:"
    " serendip init, then serendip db accept-keys --why TEXT (serendip help backup)"
)
KEPT_MAX = 255  # the id of a key is a byte before each value; 0 is the lasting key of Purpose.KEPT


class SecretError(Exception):
    """The secret cannot be used; the text says why and names the file."""


@dataclass(frozen=True, slots=True)
class Secret:
    """32 random bytes, and the one-byte id that says which secret sealed a value."""

    material: bytes
    id: int

    def derive(self, purpose: Purpose) -> bytes:
        """Return the 32-byte sub-key of a purpose."""
        return _derive(self.material, purpose.value)

    def fingerprint(self) -> bytes:
        """Return 16 bytes that identify this secret without revealing it."""
        return _derive(self.material, "serendip fingerprint", 16)


@dataclass(frozen=True, slots=True)
class Keys:
    """The present secret, the previous one while it is accepted, and the keys that no rotation changes, by their purpose.

    `kept`: further keys of stored values, by their ids from 1 on; the highest seals.
    """

    present: Secret
    previous: Secret | None = None
    lasting: Mapping[Purpose, bytes] = field(default_factory=dict)
    kept: Mapping[int, bytes] = field(default_factory=dict)

    def derive(self, purpose: Purpose) -> bytes:
        """Return the sub-key that seals now."""
        return self.present.derive(purpose)

    def of_identity(self, purpose: Purpose) -> bytes:
        """Return a sub-key of the identity key, which opens its values for as long as cookies identify users."""
        return _derive(self.lasting[Purpose.COOKIE], purpose.value)

    def of_backups(self) -> bytes:
        """Return the key by which this service signs its backups."""
        return _derive(self.lasting[Purpose.KEPT], "serendip backups")

    def accepted(self, purpose: Purpose) -> dict[int, bytes]:
        """Return every accepted sub-key by its id, the present one first."""
        known = (self.present, self.previous)
        return {secret.id: secret.derive(purpose) for secret in known if secret is not None}


def load(data: Path, now: float | None = None, *, renew: bool = False) -> Keys:
    """Read the keys of a data folder; make the folder (0700), the secret and the lasting keys (0600) if they are missing. Raises SecretError.

    `renew`: make a secret also if it was lost, which the other keys show.
    """
    if is_closed(data):
        raise SecretError(f"{data}: this service was closed, and its keys are destroyed")
    folder(data)
    if not (data / SECRET).exists():
        if not renew and is_lost(data):
            raise SecretError(LOST.format(data / SECRET, data / EPOCHS))
        _write_new(data / SECRET, secrets.token_bytes(BYTES))
    present = _read(data / SECRET)
    lasting = _lasting(data / EPOCHS, present)
    kept = {ident: _read(file).material for ident, file in _kept_files(data).items()}
    old = data / PREVIOUS
    if old.exists() and (time.time() if now is None else now) - old.stat().st_mtime < PREVIOUS_LIFE:
        return Keys(present, _read(old), lasting, kept)
    return Keys(present, None, lasting, kept)


def rotate(data: Path) -> Keys:
    """Replace the secret by a new one and keep the present one as the previous one. A crash leaves either state. The lasting keys stay."""
    keys = load(data)
    material = secrets.token_bytes(BYTES)
    while _identify(material) == keys.present.id:  # the id must tell the two apart
        material = secrets.token_bytes(BYTES)
    _replace(data / PREVIOUS, keys.present.material)
    _replace(data / SECRET, material)
    return load(data)


def rotate_kept(data: Path) -> int:
    """Add a key that seals stored values from the next start on, and return its id. Older values stay readable. Raises SecretError."""
    load(data)
    ident = max(_kept_files(data), default=0) + 1
    if ident > KEPT_MAX:
        raise SecretError(f"{data / EPOCHS}: {KEPT_MAX} keys of kept values are there, which is the most")
    _write_new(data / EPOCHS / f"kept.{ident}.key", secrets.token_bytes(BYTES))
    return ident


def is_lost(data: Path) -> bool:
    """Whether the secret is gone from a folder that still has keys which were used with it."""
    return not (data / SECRET).exists() and any((data / EPOCHS).glob("*.key"))


def is_closed(data: Path) -> bool:
    """Whether all keys of a data folder were destroyed; an interrupted destruction is done again."""
    return (data / CLOSED).exists() and not (data / SECRET).exists()


def throwaway() -> Keys:
    """Return keys that open nothing and are not kept: to read the records of a closed service."""
    with tempfile.TemporaryDirectory(prefix="serendip-") as made:
        return load(Path(made))


def destroy(data: Path) -> list[str]:
    """Overwrite and remove the secret and every key of a data folder, the secret last; return the names of the files. Raises OSError.

    From then on the folder is that of a closed service: no command makes new keys in it.

    On journalled or copy-on-write disks, overwriting is best effort. A file that is gone already is passed over.
    """
    keys = sorted(file for file in (data / EPOCHS).iterdir() if file.is_file()) if (data / EPOCHS).is_dir() else []
    gone = []
    (data / CLOSED).touch(mode=0o600)
    for file in (*keys, data / PREVIOUS, data / SECRET):
        try:
            descriptor = os.open(file, os.O_WRONLY)
        except FileNotFoundError:
            continue
        try:
            os.pwrite(descriptor, bytes(BYTES), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        file.unlink()
        sync_folder(file.parent)
        gone.append(str(file.relative_to(data)))
    return gone


def export(data: Path) -> dict[str, bytes]:
    """Return the content of every key file by its name below the data folder, for a sealed backup. Raises SecretError."""
    load(data)
    files = [data / SECRET, data / PREVIOUS, *sorted((data / EPOCHS).glob("*.key"))]
    return {str(file.relative_to(data)): _read(file).material for file in files if file.exists()}


def install(data: Path, files: Mapping[str, bytes]) -> None:
    """Write the key files of `export` into a data folder, the secret last. Raises SecretError if another key is there, or for another name."""
    if not {SECRET} <= set(files) or not all(_is_key_name(name) for name in files):
        raise SecretError(f"{data}: these are not the key files of a service")
    folder(data)
    (data / EPOCHS).mkdir(mode=0o700, exist_ok=True)
    for name in sorted(files, key=lambda name: name == SECRET):
        _write_new(data / name, files[name])
        if _read(data / name).material != files[name]:
            raise SecretError(f"{data / name}: another key is there already: restore into an empty data folder")
    (data / CLOSED).unlink(missing_ok=True)


def _is_key_name(name: str) -> bool:
    return (
        name in (SECRET, PREVIOUS) or re.fullmatch(rf"{EPOCHS}/[a-z0-9]+(\.[0-9]+|\.proposed)?\.key", name) is not None
    )


def _kept_files(data: Path) -> dict[int, Path]:
    """Return the files of the further keys of stored values, by their ids."""
    found = {file.name.removeprefix("kept.").removesuffix(".key"): file for file in (data / EPOCHS).glob("kept.*.key")}
    return {
        int(ident): file
        for ident, file in found.items()
        if ident.isascii() and ident.isdecimal() and 0 < int(ident) <= KEPT_MAX
    }


def folder(data: Path) -> None:
    """Make the data folder, readable by its owner only. Raises SecretError if that fails.

    An empty folder is closed to others; a folder with files keeps its mode (it may be shared on purpose; files made inside have modes of their own).
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.listdir(data):
            data.chmod(0o700)
    except OSError as error:
        raise SecretError(f"{data}: {error.strerror}") from None


def _lasting(directory: Path, present: Secret) -> dict[Purpose, bytes]:
    """Return the keys that no rotation changes; a missing one is derived from the present secret, as every host would do."""
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
    """Make a file completely or not at all; if another process made it first, that file stays."""
    made = _temporary(file, material)
    try:
        os.link(made, file)
    except FileExistsError:
        return
    finally:
        made.unlink()
    sync_folder(file.parent)


def _replace(file: Path, material: bytes) -> None:
    _temporary(file, material).rename(file)
    sync_folder(file.parent)


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


def sync_folder(directory: Path) -> None:
    """Write a folder's names to the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _derive(material: bytes, info: str, length: int = BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info.encode()).derive(material)


def _identify(material: bytes) -> int:
    return _derive(material, "serendip key id", 1)[0]
