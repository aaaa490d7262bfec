"""Render the reference page of all settings, docs/configuration.md; a test compares page and code."""

from inspect import getdoc

from pydantic import BaseModel

from server.ops.config.setting_sources import leaves, secrets, shown, variable
from server.ops.config.setting_types import Section
from server.ops.config.settings import RELOADED, Settings

HEAD = """\
# Configuration

Made from `server/ops/config/settings.py` by `serendip config --markdown`; a test keeps it equal.

A value is taken from the first of: a flag (`--host`, `--port`, `--data`), the environment, a TOML file (`--config FILE`
or `SERENDIP_CONFIG`), the default. `serendip config` prints what holds and where each value came from. An unknown or
wrong setting ends the program with a line that names it. Lists are written `a, b`; sizes `512 MiB`.

A setting whose meaning ends with *(SIGHUP)* is taken up by a running server: change the TOML file, `systemctl kill -s HUP
--kill-whom=main serendip`. The log names what was taken (`config.changed`) and what was not (`config.restart`): that needs a new process,
`serendip upgrade`; a file with an error changes nothing (`config.refused`). The environment is read at the start only.

```toml
# serendip.toml
data = "/var/lib/serendip"

[server]
host = "127.0.0.1"
hosts = ["chat.example"]
```

The secrets among them ({secrets}) may each stand in a file of its own, without its line break:
the one that the variable with `_FILE` behind its name names (`SERENDIP_STORE__URL_FILE=/run/secrets/store.url`), or systemd's
credential of the setting's name (`LoadCredential=store.url:/etc/serendip/store.url`). They come after the environment and before
the TOML file. A file that cannot be read, a credential that is no secret's, and a variable beside its `_FILE` end the program with a line that
names them.
"""


def configuration() -> str:
    """Return the page as Markdown: one table per section, in the order of the tree."""
    settings = Settings()
    top = {name for name in Settings.model_fields if not isinstance(getattr(settings, name), Section)}
    named = ", ".join(f"`{name}`" for name in secrets())
    parts = [HEAD.replace("{secrets}", named), _table(settings, "", top)]
    for name in Settings.model_fields:
        section = getattr(settings, name)
        if isinstance(section, Section):
            parts += [f"## {name}\n\n{getdoc(type(section))}\n", _table(section, f"{name}.")]
    return "\n".join(parts)


def _table(section: BaseModel, prefix: str, only: set[str] | None = None) -> str:
    rows = [
        f"| `{name}` | `{variable(name)}` | {_code(shown(value))} | {field.description}{' *(SIGHUP)*' if name in RELOADED else ''} |\n"
        for name, (value, field) in leaves(section, prefix)
        if only is None or name in only
    ]
    return "".join(["| setting | environment | default | meaning |\n| --- | --- | --- | --- |\n", *rows])


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"
