"""Turn identities and addresses into keyed hashes (HMAC) and ciphertext (AES-GCM) for storage, and decrypt them.

**Invariant:** values for storage leave this module only as keyed hashes or ciphertext. Each use has a domain string of its own, so that a stolen
dump does not allow joins between tables.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.data.connection_source import SourceEndpoint
from server.data.keys.epoch_keys import SIZE, EpochKeys, KeyGone
from server.ops.security.secret_keys import EPOCHS, Keys, Purpose

MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, IPv4 as IPv6 writes it
KEPT_ID = 0  # key id byte of the fixed key
NONCE = 12
KEPT_NAME = "kept pseudonyms"  # name of the kept key's fingerprint
VALUES_NAME = "kept values {}"  # name of a further key's fingerprint
EPOCH_NAME = "epoch {}"
MAC = 16  # bytes of a truncated HMAC-SHA256: 128 bits, no birthday trouble below 2^64 values


def canonical(address: str) -> str:
    """Return one spelling of an IP address: `::ffff:1.2.3.4` is 1.2.3.4, IPv6 compressed, no zone. Raises ValueError."""
    try:
        return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, address))
    except OSError:
        pass
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:
        raise ValueError("not an IP address") from None
    if packed.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def _canonical(text: str) -> SourceEndpoint:
    """Return the endpoint of a text, with its address in one spelling. Raises ValueError."""
    place = SourceEndpoint.of(text)
    return place._replace(address=canonical(place.address))


def network(address: str) -> str:
    """Return the network of one household: an IPv4 address, or the /64 of an IPv6 address. Raises ValueError."""
    plain = canonical(address)
    if ":" not in plain:
        return plain
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, plain)[:8] + bytes(8)) + "/64"


def mac(key: bytes, domain: bytes, value: bytes, key_id: int) -> bytes:
    """Return key id ‖ truncated HMAC of one value in one domain."""
    return bytes((key_id,)) + hmac.digest(key, domain + b"\x00" + value, hashlib.sha256)[:MAC]


def fingerprint_of(key: bytes, epoch: int) -> bytes:
    """Return the check value of an epoch's key: 17 bytes, which reveal nothing of it."""
    return mac(key, b"fingerprint", b"", epoch & 255)


class Keyed:
    """`mac` with a fixed key and domain, for many values: HMAC's two hashes are started once (RFC 2104), which halves its time."""

    __slots__ = ("_id", "_inner", "_outer")

    def __init__(self, key: bytes, domain: bytes, key_id: int) -> None:
        padded = key.ljust(hashlib.sha256().block_size, b"\x00")
        self._id = bytes((key_id,))
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + domain + b"\x00")
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def mac(self, value: bytes) -> bytes:
        """Return the MAC of a value, as `mac` does."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value)
        outer.update(inner.digest())
        return self._id + outer.digest()[:MAC]


_keyed = lru_cache(maxsize=64)(Keyed)


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def seal(key: bytes, domain: bytes, value: bytes, key_id: int) -> bytes:
    """Return key id ‖ nonce ‖ ciphertext. Nonces are random: at most 2^32 values per key (NIST SP 800-38D, 8.3); an epoch has fewer."""
    nonce = secrets.token_bytes(NONCE)
    return bytes((key_id,)) + nonce + _cipher(key).encrypt(nonce, value, domain)


def open_sealed(key: bytes, domain: bytes, sealed: bytes) -> bytes:
    """Return the value of `seal`. Raises KeyGone if it was sealed with another key."""
    try:
        return _cipher(key).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], domain)
    except InvalidTag:
        raise KeyGone("sealed with another key, or changed") from None


def identity_bytes(identity: int) -> bytes:
    """Return the bytes of an engine's 63-bit identity, which are keyed again (0 means none and is never passed)."""
    return identity.to_bytes(8, "big")


class Pseudonyms:
    """Maker and opener of all values of persons, in both domains.

    There are two sets of keys. `live` (rows of chat participants): the epoch's random key. `kept` (saved logs, legal holds): a permanent key, since
    these rows have no fixed retention.

    Formats: MAC = key id ‖ HMAC-SHA256(key, domain ‖ value)[:16], 17 bytes; encrypted = key id ‖ nonce (12) ‖ AES-256-GCM(value), with the domain as
    additional data. The key id of `kept` is 0; MACs use it for ever, while encryption has further keys from id 1 on, the highest of which encrypts.
    An epoch with the same id byte is told apart by the domain string.
    """

    def __init__(
        self, epochs: EpochKeys, kept: bytes, erasure: bytes, values: Mapping[int, bytes] = MappingProxyType({})
    ) -> None:
        """`values`: further encryption keys of kept values, by their ids (1 to 255)."""
        if any(len(key) != 32 for key in (kept, erasure, *values.values())):
            raise ValueError("the kept keys and the erasure key have 32 bytes")
        self.epochs = epochs
        self._kept = kept
        self._values = {KEPT_ID: kept, **values}
        self._newest = max(self._values)
        self._erasure = erasure
        self._safety_identity = Keyed(kept, b"safety.identity", KEPT_ID).mac
        self._safety_network = Keyed(kept, b"safety.network", KEPT_ID).mac

    def _seal(self, domain: bytes, value: bytes) -> bytes:
        return seal(self._values[self._newest], domain, value, self._newest)

    def _open(self, domain: bytes, sealed: bytes) -> bytes:
        """Return the value of `_seal`. Raises KeyGone."""
        key = self._values.get(sealed[0]) if sealed else None
        if key is None:
            raise KeyGone("sealed with a key that is not here")
        return open_sealed(key, domain, sealed)

    def live(self, epoch: int, identity: int, address: str) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return (identity MAC, sealed address, address MAC) for a party row of this epoch; None for a missing value. Raises KeyAwaited.

        `address` may have a source port (`SourceEndpoint`), which is sealed with it; so in `kept` and `safety`.
        """
        key = self.epochs.make(epoch)
        key_id = epoch & 255
        who = _keyed(key, b"live.identity", key_id).mac(identity_bytes(identity)) if identity else None
        if not address:
            return who, None, None
        place = _canonical(address)
        sealed = seal(key, b"live.address", place.text.encode(), key_id)
        return who, sealed, _keyed(key, b"live.address", key_id).mac(place.address.encode())

    def live_source(self, epoch: int, source: str) -> bytes:
        """Return the sealed address of `live` alone, for another source port of an address. Raises KeyAwaited.

        `source`: `SourceEndpoint.text` of a `canonical` address, as it is not looked at.
        """
        return seal(self.epochs.make(epoch), b"live.address", source.encode(), epoch & 255)

    def live_identities(self, identity: int) -> list[bytes]:
        """Return the MACs of an identity in each epoch whose key still exists (5 to 6; about 10 µs). Raises KeyAwaited."""
        self.epochs.whole()
        value = identity_bytes(identity)
        return [mac(self.epochs.get(e), b"live.identity", value, e & 255) for e in self.epochs.epochs()]

    def live_addresses(self, address: str) -> list[bytes]:
        """Return the MACs of an address in each epoch whose key still exists. Raises KeyAwaited."""
        self.epochs.whole()
        value = canonical(address).encode()
        return [mac(self.epochs.get(e), b"live.address", value, e & 255) for e in self.epochs.epochs()]

    def live_address(self, sealed: bytes) -> SourceEndpoint:
        """Return the address of a party row. Raises KeyGone, KeyAwaited."""
        key = self.epochs.get(self.epochs.find(sealed[0]))
        return SourceEndpoint.of(open_sealed(key, b"live.address", sealed).decode())

    def kept(self, identity: int, address: str) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return the values of `live` for the private rows of a saved log: linkable for ever by the holder of the key."""
        who = self.kept_identity(identity) if identity else None
        if not address:
            return who, None, None
        place = _canonical(address)
        hashed = mac(self._kept, b"kept.address", place.address.encode(), KEPT_ID)
        return who, self._seal(b"kept.address", place.text.encode()), hashed

    def kept_identity(self, identity: int) -> bytes:
        """Return the MAC of an identity beside saved logs."""
        return mac(self._kept, b"kept.identity", identity_bytes(identity), KEPT_ID)

    def kept_address_mac(self, address: str) -> bytes:
        """Return the MAC of an address beside saved logs."""
        return mac(self._kept, b"kept.address", canonical(address).encode(), KEPT_ID)

    def kept_address(self, sealed: bytes) -> SourceEndpoint:
        """Return the address of a log_party row. Raises KeyGone."""
        return SourceEndpoint.of(self._open(b"kept.address", sealed).decode())

    def safety(self, identity: int, address: str) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return (identity MAC, sealed address, network MAC) for rows of moderation, which join with no other table."""
        who = self.safety_identity(identity) if identity else None
        if not address:
            return who, None, None
        place = _canonical(address)
        return who, self._seal(b"safety.address", place.text.encode()), self.safety_network(place.address)

    def safety_identity(self, identity: int) -> bytes:
        """Return the MAC of an identity in the rows of moderation."""
        return self._safety_identity(identity.to_bytes(8, "big"))

    def safety_network(self, address: str) -> bytes:
        """Return the MAC of an address's network in the rows of moderation: the IPv4 address, or the IPv6 /64. Raises ValueError."""
        return self._safety_network(network(address).encode())

    def safety_address(self, sealed: bytes) -> SourceEndpoint:
        """Return the address of a row of moderation. Raises KeyGone."""
        return SourceEndpoint.of(self._open(b"safety.address", sealed).decode())

    def request_identity(self, identity: int) -> bytes:
        """Return the MAC of an identity beside requests about one's own data, which join with no other table."""
        return mac(self._kept, b"request.identity", identity_bytes(identity), KEPT_ID)

    def revoked_identity(self, identity: int) -> bytes:
        """Return the MAC of an identity beside the day before which its rights keys are void."""
        return mac(self._kept, b"rights.key", identity_bytes(identity), KEPT_ID)

    def seal_text(self, domain: bytes, text: str) -> bytes:
        """Seal a user's words for a column: a report's note, an appeal."""
        return self._seal(domain, text.encode())

    def open_text(self, domain: bytes, sealed: bytes) -> str:
        """Return the text of `seal_text`. Raises KeyGone."""
        return self._open(domain, sealed).decode()

    def secret_hash(self, domain: bytes, secret: bytes) -> bytes:
        """Return the keyed hash of a URL's secret (log page, delete address): the store never holds the secret itself."""
        return mac(self._kept, domain, secret, KEPT_ID)[1:]

    def wrap(self, object_name: str, key: bytes) -> bytes:
        """Return an object's own key, wrapped for its database row."""
        return self._seal(b"object." + object_name.encode(), key)

    def unwrap(self, object_name: str, wrapped: bytes) -> bytes:
        """Return the key of `wrap`. Raises KeyGone."""
        return self._open(b"object." + object_name.encode(), wrapped)

    def audit_subject(self, value: bytes) -> bytes:
        """Return the MAC of a stored keyed value for the audit log, so that the audit log joins with no other table."""
        return mac(self._kept, b"audit.subject", value, KEPT_ID)

    def disclosure_subject(self, value: bytes) -> bytes:
        """Return the MAC of a stored keyed value for the disclosure ledger, which joins with no other table."""
        return mac(self._kept, b"disclosure.subject", value, KEPT_ID)

    def deletion_subject(self, identity: int) -> bytes:
        """Return the MAC of an identity beside its deletion requests, in a domain that joins with no other table."""
        return mac(self._kept, b"deletion.identity", identity_bytes(identity), KEPT_ID)

    def seal_copy(self, name: str, body: bytes) -> bytes:
        """Seal a copy of non-restorable rows for the object of this name."""
        return self._seal(b"copy." + name.encode(), body)

    def open_copy(self, name: str, sealed: bytes) -> bytes:
        """Return the content of `seal_copy`. Raises KeyGone."""
        return self._open(b"copy." + name.encode(), sealed)

    def seal_selector(self, value: str) -> bytes:
        """Seal the selector of a hold or an erasure, from which the values of later epochs can be computed."""
        return self._seal(b"selector", value.encode())

    def open_selector(self, sealed: bytes) -> str:
        """Return the selector of `seal_selector`. Raises KeyGone."""
        return self._open(b"selector", sealed).decode()

    def reseal(self, sealed: bytes | None) -> bytes | None:
        """Seal a live address under the kept key, so that a held row outlives its epoch's key. Raises KeyGone."""
        return None if sealed is None else self._seal(b"kept.address", self.live_address(sealed).text.encode())

    def erasure(self, value: bytes) -> bytes:
        """Return the entry of the erasure list for a deleted log or identity: 32 bytes, by a key of its own."""
        return hmac.digest(self._erasure, value, hashlib.sha256)

    def fingerprints(self) -> dict[str, bytes]:
        """Return a check value of 17 bytes for each key in memory, by its name."""
        epochs = self.epochs
        found = {EPOCH_NAME.format(e): fingerprint_of(epochs.get(e), e) for e in epochs.epochs()}
        values = {
            VALUES_NAME.format(ident): mac(key, b"fingerprint", b"", ident)
            for ident, key in self._values.items()
            if ident
        }
        return {KEPT_NAME: mac(self._kept, b"fingerprint", b"", KEPT_ID), **values, **found}


def open_pseudonyms(keys: Keys, data: Path, *, shared: bool = False) -> Pseudonyms:
    """Open the pseudonyms of a data folder: epoch keys (`shared` with other hosts), the kept key, and the erasure list's, derived from it.

    The kept key outlives every rotation, or saved logs would be lost with it. Raises OSError.
    """
    kept = keys.lasting[Purpose.KEPT]
    erasure = HKDF(SHA256(), SIZE, salt=None, info=b"serendip erasure list").derive(kept)
    return Pseudonyms(EpochKeys(data / EPOCHS, shared=shared), kept, erasure, keys.kept)
