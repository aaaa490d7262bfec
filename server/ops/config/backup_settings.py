"""Define the settings of whole backups: their place, interval and number, and the public key to which the service's keys are sealed.

**Invariant:** the private key is no setting: it opens the backups, and stays with the operator.
"""

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveInt, SecretStr

from server.ops.config.setting_types import Section

KEY_BYTES = 32  # X25519


def backup_place(url: str) -> str:
    """Validate a place of backups: a bucket or an absolute folder, or nothing."""
    if url and not re.fullmatch(r"s3://[^/\s]+(/.*)?|/.+", url):
        raise ValueError("s3://bucket/prefix or an absolute folder is wanted, or nothing")
    return url


def valid_public_key(text: str) -> str:
    """Validate a key as `serendip backup key` prints it, or nothing."""
    try:
        if text and len(base64.urlsafe_b64decode(text + "=")) != KEY_BYTES:
            raise ValueError
    except (ValueError, binascii.Error):
        raise ValueError("a key as `serendip backup key FILE` prints it is wanted") from None
    return text


def valid_signing_key(key: SecretStr) -> SecretStr:
    """Validate a signing key as `serendip backup key` prints it, or nothing."""
    valid_public_key(key.get_secret_value())
    return key


class Backup(Section):
    """Whole backups: database, texts, settings and sealed keys in one archive."""

    url: Annotated[str, AfterValidator(backup_place)] = Field(
        default="",
        description="s3://bucket/prefix, or an absolute folder, for whole backups; empty: the server makes none",
    )
    endpoint: str = Field(default="", description="S3 endpoint, where it is not Amazon's")
    region: str = Field(default="us-east-1", description="S3 region")
    access_key: SecretStr = Field(default=SecretStr(""), description="S3 access key; empty: the usual AWS variables")
    secret_key: SecretStr = Field(default=SecretStr(""), description="S3 secret key")
    every_hours: NonNegativeFloat = Field(
        default=24.0, le=24, description="hours between two backups by the server itself; 0: only by command"
    )
    keep: PositiveInt = Field(
        default=7, le=90, description="backups that stay; each goes after retention.backup_days all the same"
    )
    public_key: Annotated[str, AfterValidator(valid_public_key)] = Field(
        default="",
        description="seals keys and secrets (`serendip backup key FILE` prints it); empty: they are left out",
    )
    signing_key: Annotated[SecretStr, AfterValidator(valid_signing_key)] = Field(
        default=SecretStr(""),
        description="signs backups for your private key (`serendip backup key FILE` prints it); empty: only this service knows its own",
    )
