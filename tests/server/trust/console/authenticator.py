"""Simulate a passkey in software: a key, and a browser's answers (`toJSON()`), as the standard says, so that each part can be falsified."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """A passkey. `origin`: of the requesting page; `verified`: it verified its user; `counter`: of its signatures."""

    def __init__(self, origin: str = "http://localhost:9466", *, verified: bool = True) -> None:
        self.origin = origin
        self.verified = verified
        self.counter = 0
        self.id = secrets.token_bytes(32)
        self.handle = b""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str) -> str:
        """Return the answer of `navigator.credentials.create`."""
        asked = json.loads(options)
        self.handle = websafe_decode(asked["user"]["id"])
        data = AttestedCredentialData.create(bytes(16), self.id, ES256.from_cryptography_key(self._key.public_key()))
        about = self._about(asked["rp"]["id"], ATTESTED, bytes(data))
        attestation = AttestationObject.create("none", about, {})
        client = self._client("webauthn.create", asked["challenge"])
        return self._json({"clientDataJSON": client, "attestationObject": bytes(attestation)})

    def get(self, options: str) -> str:
        """Return the answer of `navigator.credentials.get`."""
        asked = json.loads(options)
        about = self._about(asked["rpId"], 0, b"")
        client = self._client("webauthn.get", asked["challenge"])
        signature = self._key.sign(bytes(about) + digest(client), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": bytes(about), "signature": signature}
        return self._json({**parts, "userHandle": self.handle})

    def _about(self, place: str, more: int, data: bytes) -> AuthenticatorData:
        flags = PRESENT | (VERIFIED if self.verified else 0) | more
        return AuthenticatorData.create(digest(place.encode()), flags, self.counter, data)  # type: ignore[arg-type]

    def _client(self, kind: str, challenge: str) -> bytes:
        said: dict[str, Any] = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _json(self, response: dict[str, bytes]) -> str:
        ident = websafe_encode(self.id)
        return json.dumps(
            {
                "id": ident,
                "rawId": ident,
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
                "clientExtensionResults": {},
            }
        )


def digest(data: bytes) -> bytes:
    """SHA-256."""
    made = Hash(SHA256())
    made.update(data)
    return made.finalize()
