"""Settings: precedence, sources, and errors that name what is wrong as it was spelled."""

import os
import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from server.ops.config import setting_sources as sources
from server.ops.config.setting_sources import CREDENTIALS, SettingsError, leaves, load, secrets, variable
from server.ops.config.settings import Objects, Server, Settings

SERVER = Path(sources.__file__).parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SERENDIP_") or name == CREDENTIALS:
            monkeypatch.delenv(name)


def test_settings_made_in_code_read_nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_SERVER__PORT", "9")
    assert Settings(server=Server(port=0)).server.port == 0
    assert Settings().server.port == 8080


def test_defaults_are_those_of_the_protocol() -> None:
    settings = load().settings
    assert settings.session.grace == 15
    assert settings.chat.memory == 512 * 1024 * 1024
    assert (settings.limits.message_burst, settings.limits.message_rate) == (100, 20)
    assert (settings.limits.find_burst, settings.limits.find_rate) == (10, 1)
    assert (settings.limits.connections, settings.limits.connect_burst, settings.limits.connect_rate) == (100, 40, 4)
    assert (settings.matching.any_after, settings.matching.anyone_after) == (3, 10)


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text("[server]\nport = 1\nhost = '::1'\ndrain = 3\n")
    monkeypatch.setenv("SERENDIP_SERVER__PORT", "2")
    monkeypatch.setenv("SERENDIP_SERVER__HOST", "0.0.0.0")
    loaded = load(file, {"server.port": 3})
    assert (loaded.settings.server.port, loaded.settings.server.host, loaded.settings.server.drain) == (3, "0.0.0.0", 3)
    sources = {row.name: row.source for row in loaded.rows()}
    assert sources["server.port"] == "flag"
    assert sources["server.host"] == "environment"
    assert sources["server.drain"] == f"file {file}"
    assert sources["metrics.port"] == "default"


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text("data = 'kept'\n")
    monkeypatch.setenv("SERENDIP_CONFIG", str(file))
    assert load().settings.data == Path("kept")


def test_lists_and_sizes_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_SERVER__HOSTS", "chat.example, [::1]")
    monkeypatch.setenv("SERENDIP_SERVER__PROXIES", "10.0.0.0/8,2001:db8::/32")
    monkeypatch.setenv("SERENDIP_CHAT__MEMORY", "64 MiB")
    settings = load().settings
    assert settings.server.hosts == ("chat.example", "[::1]")
    assert settings.server.proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert settings.chat.memory == 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SERENDIP_SERVER__PORT", "seventy", "SERENDIP_SERVER__PORT: "),
        ("SERENDIP_SERVER__PORT", "70000", "SERENDIP_SERVER__PORT: "),
        (
            "SERENDIP_SERVER__PROT",
            "1",
            "SERENDIP_SERVER__PROT: there is no such setting; did you mean SERENDIP_SERVER__PORT?",
        ),
        (
            "SERENDIP_SEVER__PORT",
            "1",
            "SERENDIP_SEVER__PORT: there is no such setting; did you mean SERENDIP_SERVER__PORT?",
        ),
        ("SERENDIP_SERVER__PROXIES", "10.0.0.0/99", "SERENDIP_SERVER__PROXIES: "),
        ("SERENDIP_SERVER", "x", "SERENDIP_SERVER: "),
        ("SERENDIP_SERVER__HOSTS", "https://chat.example", "without scheme and port"),
        ("SERENDIP_SERVER__HOSTS", "chat.example:443", "without scheme and port"),
        ("SERENDIP_METRICS__HOSTS", "[::1]:9464", "without scheme and port"),
        ("SERENDIP_SERVER__ORIGINS", "chat.example", "a scheme and a host"),
        ("SERENDIP_SERVER__ORIGINS", "https://chat.example/", "a scheme and a host"),
        ("SERENDIP_STORE__URL", "mysql://user:secret@host/name", "SERENDIP_STORE__URL: "),
        ("SERENDIP_STORE__URL", "user:secret@host", "no database known here"),
        ("SERENDIP_OBJECTS__URL", "http://host/bucket", "s3://bucket/prefix is wanted"),
        ("SERENDIP_SESSION__GRACE", "-1", "SERENDIP_SESSION__GRACE: "),
        ("SERENDIP_SESSION__GRACE", "nan", "SERENDIP_SESSION__GRACE: "),
        ("SERENDIP_LIMITS__ENABLED", "perhaps", "SERENDIP_LIMITS__ENABLED: "),
    ],
)
def test_a_wrong_variable_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert any(told in problem for problem in caught.value.problems)
    assert "secret" not in str(caught.value)


def test_what_is_right_is_taken_as_it_is() -> None:
    server = Server(
        hosts=("chat.example", "[::1]", "*"), origins=("https://chat.example:8443", "capacitor://localhost", "*")
    )
    assert server.hosts[1] == "[::1]"
    assert server.origins[1] == "capacitor://localhost"
    assert Objects(url="s3://bucket/some/prefix").url.startswith("s3://")


@pytest.mark.parametrize("text", ["[server\n", "[sever]\nport = 1\n", "[server]\nport = 'x'\n", "\x00", "server = 3\n"])
def test_a_wrong_file_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"serendip\.toml"):
        load(file)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("SERENDIP_WORKERS", "many", "SERENDIP_WORKERS: must be a whole number or 'auto' (got 'many')"),
        ("SERENDIP_SERVER__PORT", "seventy", "SERENDIP_SERVER__PORT: must be a whole number (got 'seventy')"),
        ("SERENDIP_SERVER__PORT", "70000", "SERENDIP_SERVER__PORT: must be 65535 or less (got '70000')"),
        ("SERENDIP_LIMITS__ENABLED", "perhaps", "SERENDIP_LIMITS__ENABLED: must be true or false (got 'perhaps')"),
        ("SERENDIP_LOG__LEVEL", "loud", "SERENDIP_LOG__LEVEL: must be 'debug', 'info', 'warning' or 'error' (got 'loud')"),
        ("SERENDIP_CHAT__MEMORY", "much", "SERENDIP_CHAT__MEMORY: must be a size, e.g. 64 MiB (got 'much')"),
        ("SERENDIP_SERVER__PROXIES", "10.0.0.0/99", "SERENDIP_SERVER__PROXIES: must be an IPv4 network or an IPv6 network (got '10.0.0.0/99')"),
        ("SERENDIP_SERVER", "x", "SERENDIP_SERVER: is a group of settings, each with a variable of its own, e.g. SERENDIP_SERVER__HOST"),
        ("SERENDIP_RECIPIENTS", "x", "SERENDIP_RECIPIENTS: must be JSON"),
        (
            "SERENDIP_SERVER__HOSTS",
            "a:1,b:2",
            "SERENDIP_SERVER__HOSTS: a name without scheme and port is wanted, e.g. chat.example or [::1] (got 'a:1')",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_once_in_our_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.problems == [line]


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_SERVER__PORT", "x")
    monkeypatch.setenv("SERENDIP_METRICS__PORT", "y")
    with pytest.raises(SettingsError) as caught:
        load()
    assert len(caught.value.problems) == 2


def test_every_setting_has_a_meaning_and_a_variable_of_its_own() -> None:
    declared = list(leaves(Settings()))
    assert all(field.description for _, (_, field) in declared)
    assert len({variable(name) for name, _ in declared}) == len(declared)


def test_every_setting_is_read_by_the_program() -> None:
    sources = "".join(
        source.read_text()
        for source in SERVER.rglob("*.py")
        if source.name not in {"settings.py", "setting_types.py", "sources.py", "reference.py", "cli.py"}
    )
    idle = [name for name, _ in leaves(Settings()) if not re.search(rf"\.{name.split('.')[-1]}\b", sources)]
    assert idle == []


def test_the_secrets_are_those_that_must_not_be_printed() -> None:
    assert secrets() == [
        "alerts.contact",
        "alerts.heartbeat",
        "store.url",
        "objects.access_key",
        "objects.secret_key",
        "backup.access_key",
        "backup.secret_key",
        "backup.signing_key",
        "safety.child_password",
        "screening.provider_key",
        "pictures.key",
        "challenge.secret",
        "video.turn_secret",
        "mail.password",
        "translation.key",
    ]


@pytest.mark.parametrize("name", secrets())
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file_that_the_environment_names(
    name: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "it"
    scheme = "postgresql://" if name == "store.url" else ""
    secret = "https://geheim.example/1" if name.startswith("alerts.") else f"{scheme} geheim \u00fc\n2"
    if name == "backup.signing_key":
        secret = "A" * 43  # 32 bytes
    file.write_bytes(f"{secret}{ending}".encode())
    monkeypatch.setenv(f"{variable(name)}_FILE", str(file))
    loaded = load()
    assert dict(leaves(loaded.settings))[name][0].get_secret_value() == secret
    row = next(row for row in loaded.rows() if row.name == name)
    assert (row.source, row.value) == (f"file {file}", "**********")


def test_systemds_credentials_come_after_the_environment_and_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name in ("store.url", "mail.password", "video.turn_secret"):
        (folder / name).write_text("postgresql://of a credential\n")
    toml = tmp_path / "serendip.toml"
    toml.write_text("[store]\nurl = 'postgresql://of the file'\n[objects]\nsecret_key = 'of the file'\n")
    (tmp_path / "turn").write_text("of a file\n")
    monkeypatch.setenv(CREDENTIALS, str(folder))
    monkeypatch.setenv("SERENDIP_MAIL__PASSWORD", "of the environment")
    monkeypatch.setenv("SERENDIP_VIDEO__TURN_SECRET_FILE", str(tmp_path / "turn"))
    settings = load(toml).settings
    assert settings.store.url.get_secret_value() == "postgresql://of a credential"
    assert settings.mail.password.get_secret_value() == "of the environment"
    assert settings.video.turn_secret.get_secret_value() == "of a file"
    assert settings.objects.secret_key.get_secret_value() == "of the file"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SERENDIP_STORE__URL_FILE": "{}/none"}, "SERENDIP_STORE__URL_FILE: {}/none: No such file or directory"),
        ({"SERENDIP_STORE__URL_FILE": "{}"}, "SERENDIP_STORE__URL_FILE: {}: Is a directory"),
        ({"SERENDIP_STORE__URL_FILE": "{}/raw"}, "SERENDIP_STORE__URL_FILE: {}/raw: is not text in UTF-8"),
        (
            {"SERENDIP_STORE__URL_FILE": "{}/raw", "SERENDIP_STORE__URL": "x"},
            "SERENDIP_STORE__URL_FILE: SERENDIP_STORE__URL is given too; keep one of them",
        ),
        (
            {"SERENDIP_SERVER__PORT_FILE": "{}/raw"},
            "SERENDIP_SERVER__PORT_FILE: there is no such setting; did you mean SERENDIP_SERVER__PORT?",
        ),
        ({CREDENTIALS: "{}/none"}, "CREDENTIALS_DIRECTORY: {}/none: No such file or directory"),
        ({CREDENTIALS: "{}"}, "credential raw: there is no such secret"),
        ({CREDENTIALS: "{}/wrong"}, "credential store.ulr: there is no such secret; did you mean store.url?"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_line_that_names_how_it_was_spelled(
    variables: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "raw").write_bytes(b"\xff")
    wrong = tmp_path / "folder" / "wrong"
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(folder))
    if variables.get(CREDENTIALS, "").endswith("wrong"):
        wrong.mkdir()
        (wrong / "store.ulr").write_text("x")
    with pytest.raises(SettingsError) as found:
        load()
    assert found.value.problems == [told.format(folder)]
