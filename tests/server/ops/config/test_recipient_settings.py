"""`[[recipients]]` is read from the settings' file, and what it replaced says where it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.ops.config.setting_sources import SettingsError, load

TABLE = """
[[recipients]]
name = "Hoster Ltd"
kind = "hosting"
country = "Norway"
items = ["identity", "address"]
link = "https://hoster.example/privacy"
deletes = "contract"

[[recipients]]
name = "Mailer"
kind = "mail"
"""


def written(folder: Path, text: str) -> Path:
    """A settings' file."""
    file = folder / "serendip.toml"
    file.write_text(text)
    return file


def test_each_table_is_a_recipient_in_order(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, TABLE))
    assert [str(one) for one in loaded.settings.recipients] == ["Hoster Ltd (hosting)", "Mailer (mail)"]
    assert loaded.settings.recipients[0].items == ("identity", "address")
    assert [row.value for row in loaded.rows() if row.name == "recipients"] == ["Hoster Ltd (hosting), Mailer (mail)"]


@pytest.mark.parametrize(
    "wrong",
    ['name = "X"\nkind = "friend"', 'kind = "mail"', 'name = "X"\nkind = "mail"\nlink = "javascript:alert(1)"'],
    ids=["kind", "no name", "link"],
)
def test_a_wrong_one_is_refused_by_the_name_of_its_setting(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^recipients"):
        load(written(tmp_path, f"[[recipients]]\n{wrong}\n"))


def test_the_setting_that_it_replaced_says_where_it_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"operator\.hosting .*moved: name each provider in a table \[\[recipients"):
        load(written(tmp_path, '[operator]\nhosting = "Hoster"\n'))
    monkeypatch.setenv("SERENDIP_OPERATOR__HOSTING_DELETES", "after 30 days")
    with pytest.raises(SettingsError, match=r"SERENDIP_OPERATOR__HOSTING_DELETES: this setting has moved"):
        load()
