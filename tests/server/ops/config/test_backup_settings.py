"""Test that settings of backups that cannot be meant are refused."""

from __future__ import annotations

import pytest

from server.ops.config.backup_settings import Backup


@pytest.mark.parametrize("key", ["short", "!" * 43, "A" * 44])
def test_what_is_no_public_key_is_refused_as_a_setting(key: str) -> None:
    with pytest.raises(ValueError, match="serendip backup key"):
        Backup(public_key=key)


@pytest.mark.parametrize("url", ["backups", "s3:bucket", "https://example.org/backups"])
def test_a_place_is_a_bucket_or_an_absolute_folder(url: str) -> None:
    with pytest.raises(ValueError, match="absolute folder"):
        Backup(url=url)
