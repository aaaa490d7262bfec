"""Read the settings from flags, environment, secret files, a TOML file and defaults, in this order of precedence, and record each value's source.

**Invariant:** an unknown name or an invalid value is an error, which names the setting as the operator spelled it.
"""

# A secret (a setting of type SecretStr) may be in a file of its own: the one that its variable with the suffix `_FILE` names, or systemd's credential
# of its name (`LoadCredential=store.url:…`). A line break at the end of the file is not part of it.

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ByteSize, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from server.ops.config.setting_types import Section
from server.ops.config.settings import MIB, Settings

PREFIX = "SERENDIP_"
CONFIG = "SERENDIP_CONFIG"
EARLIER: Final = {"cluster.cell": "cluster.id"}  # names that settings had in the release before, and their present ones
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd's: a folder of files
MOVED = {  # settings of an earlier version, and their replacements
    "operator.hosting": "name each provider in a table [[recipients]] (name, kind)",
    "operator.hosting_deletes": "say it of each provider in its table [[recipients]] (deletes, contract)",
}
# What is wrong, by the library's error types (https://docs.pydantic.dev/latest/errors/validation_errors/).
WORDS = {
    "int_parsing int_type int_from_float": "must be a whole number",
    "float_parsing float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing bool_type": "must be true or false",
    "string_type": "must be text",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "byte_size byte_size_unit": "must be a size, e.g. 64 MiB",
    "string_pattern_mismatch": "must be of the form {pattern}",
    "ip_v4_network": "must be an IPv4 network",
    "ip_v6_network": "must be an IPv6 network",
    "model_type model_attributes_type dict_type": "must be a table of settings",
    "list_type tuple_type": "must be a list",
    "missing": "is missing",
}
_field = re.compile(r'field "(\w+)"').search  # finds the setting in the library's message
# Variables with this prefix that the build and `--config` read, not the tree of settings.
NOT_SETTINGS = {CONFIG, "SERENDIP_BUILD", "SERENDIP_ANNOTATE", "SERENDIP_PLAIN"}


class SettingsError(Exception):
    """Problems in the settings, one line each, naming the setting as it was spelled."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as `serendip config` shows it; `value` is text, a secret is masked."""

    name: str
    variable: str
    meaning: str
    value: str
    default: str
    source: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and, for each dotted name that was not left at its default, its value's source."""

    settings: Settings
    sources: Mapping[str, str]

    def rows(self) -> list[Row]:
        """Return every setting in the order of the tree."""
        defaults = dict(leaves(Settings()))
        return [
            Row(
                name,
                variable(name),
                field.description or "",
                shown(value),
                shown(defaults[name][0]),
                self.sources.get(name, "default"),
            )
            for name, (value, field) in leaves(self.settings)
        ]


class _Environment(Settings, BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)


def load(config: Path | None = None, flags: Mapping[str, object] | None = None) -> Loaded:
    """Read all sources; `flags` maps dotted names to values, None: not given. Raises SettingsError with every problem found."""
    file = config or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    environment = _from_environment()
    read = [
        ("flag", _nested(flags or {})),
        ("environment", environment),
        *_from_secret_files(environment),
        (f"file {file}", _from_file(file) if file else {}),
    ]
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for label, found in reversed(read):
        _rename_earlier(label, found)
        _merge(merged, found)
        sources |= dict.fromkeys(_names(found), label)
    problems = _unknown_variables()
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(problems + _problems([dict(found) for found in error.errors()], sources)) from None
    if problems:
        raise SettingsError(problems)
    return Loaded(settings, sources)


def leaves(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, tuple[Any, FieldInfo]]]:
    """Yield each setting below a section: its dotted name, its value and its declaration."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, (value, field)


def secrets() -> list[str]:
    """Return the dotted names of the settings that are secrets."""
    return [name for name, (value, _) in leaves(Settings()) if isinstance(value, SecretStr)]


def variable(name: str) -> str:
    """Return the environment variable of a dotted name."""
    return PREFIX + name.replace(".", "__").upper()


def shown(value: object) -> str:
    """Format a value as an operator would write it, without control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, ByteSize):
        return f"{value / MIB:g} MiB"
    if isinstance(value, float):
        return f"{value:g}"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))


def _rename_earlier(label: str, found: dict[str, Any]) -> None:
    """Give settings that a source names as an earlier release did their present names. Raises SettingsError if it names one twice."""
    for earlier, present in EARLIER.items():
        (section, old), new = earlier.split("."), present.partition(".")[2]
        group = found.get(section)
        if isinstance(group, dict) and old in group:
            if new in group:
                raise SettingsError([f"{label}: {earlier} is the earlier name of {present}; keep one of them"])
            group[new] = group.pop(old)


def _from_environment() -> dict[str, Any]:
    try:
        return EnvSettingsSource(_Environment)()
    except SourceError as error:
        raise SettingsError([_unparsed(str(error))]) from None


def _unparsed(said: str) -> str:
    """Explain a variable that the library would parse as JSON because it names a group of settings."""
    found = _field(said)
    if found is None:
        return said
    spelled, value = variable(found[1]), getattr(Settings(), found[1], None)
    if not isinstance(value, Section):
        return f"{spelled}: must be JSON"
    example = variable(f"{found[1]}.{next(iter(type(value).model_fields))}")
    return f"{spelled}: is a group of settings, each with a variable of its own, e.g. {example}"


def _from_secret_files(environment: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Read the secrets that are in files, each as a source of its own. Removes the variables that name a file from `environment`."""
    files = []
    for name in secrets():
        section, _, last = name.partition(".")
        found = environment.get(section)
        if not isinstance(found, dict) or f"{last}_file" not in found:
            continue
        told = f"{variable(name)}_FILE"
        if last in found:
            raise SettingsError([f"{told}: {variable(name)} is given too; keep one of them"])
        files.append((name, told, Path(found.pop(f"{last}_file"))))
    return [_from_secret_file(*file) for file in [*files, *_credentials()]]


def _credentials() -> list[tuple[str, str, Path]]:
    folder = os.environ.get(CREDENTIALS)
    if not folder:
        return []
    try:
        files = sorted(Path(folder).iterdir())
    except OSError as error:
        raise SettingsError([f"{CREDENTIALS}: {folder}: {error.strerror}"]) from None
    known = secrets()
    problems = [
        f"credential {file.name}: there is no such secret{_nearest(file.name, known)}"
        for file in files
        if file.name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return [(file.name, f"credential {file.name}", file) for file in files]


def _from_secret_file(name: str, told: str, file: Path) -> tuple[str, dict[str, Any]]:
    try:
        return f"file {file}", _nested({name: file.read_text("utf-8").removesuffix("\n").removesuffix("\r")})
    except OSError as error:
        raise SettingsError([f"{told}: {file}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{told}: {file}: is not text in UTF-8"]) from None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"{file}: {error}"]) from None


def _nested(flat: Mapping[str, object]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        if value is None:
            continue
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree


def _merge(into: dict[str, Any], found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, dict) else value


def _names(found: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _unknown_variables() -> list[str]:
    sections = {name.upper() for name in Settings.model_fields}
    known = [variable(name) for name, _ in leaves(Settings())]
    return [
        f"{name}: there is no such setting{_nearest(name, known)}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and name[len(PREFIX) :].split("__")[0] not in sections
    ]


def _problems(errors: list[dict[str, Any]], sources: Mapping[str, str]) -> list[str]:
    """Return one line per setting: the library reports an error for each type that a value may have, and for each part of a list."""
    lines: dict[str, dict[str, str]] = {}  # by the texts before and behind; the words of each error once
    for found in errors:
        before, words, behind = _problem(found, sources)
        lines.setdefault(before, {}).setdefault(words, behind)
    return [f"{before}: {_either(words)}{next(iter(words.values()))}" for before, words in lines.items()]


def _either(words: Iterable[str]) -> str:
    """Join the expected forms into one clause."""
    first, *others = words
    return " or ".join([first, *(one.removeprefix("must be ") for one in others)])


def _words(found: Mapping[str, Any]) -> str:
    """Say what is wrong, in this program's words instead of the library's."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    for kinds, said in WORDS.items():
        if kind in kinds.split():
            return said.format(**context)
    return str(found["msg"]).replace("Input should be", "must be")


def _problem(found: dict[str, Any], sources: Mapping[str, str]) -> tuple[str, str, str]:
    """Return (the setting as it was spelled, what is wrong, the given value)."""
    name, source = _culprit([str(step) for step in found["loc"]], sources)
    environment = source == "environment"
    spelled = variable(name) if environment else name
    told = spelled if environment or not source else f"{spelled} ({source})"
    if name in MOVED:
        return told, f"this setting has moved: {MOVED[name]}", ""
    if found["type"] == "extra_forbidden":
        known = [variable(leaf) if environment else leaf for leaf, _ in leaves(Settings())]
        return told, f"there is no such setting{_nearest(spelled, known)}", ""
    if isinstance(dict(leaves(Settings())).get(name, ("",))[0], SecretStr):
        return told, _words(found), ""
    return told, _words(found), f" (got {shown(found['input'])[:80]!r})"


def _culprit(steps: list[str], sources: Mapping[str, str]) -> tuple[str, str]:
    """Return the dotted name that an error is about, and the source of its value."""
    for end in range(len(steps), 0, -1):
        name = ".".join(steps[:end])
        for known, source in sources.items():
            if known == name or known.startswith(name + "."):
                return name, source
    return ".".join(steps), ""


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""
