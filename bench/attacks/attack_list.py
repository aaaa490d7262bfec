"""List the attacks by name, with the settings of the server and whether limits are on. Each entry is a row of the table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bench.attacks import connections, forms, frames, requests
from bench.attacks.attack_sockets import Aim

ON: Final = ("on",)
OFF: Final = ("off",)
BOTH: Final = ("on", "off")


class Attack(NamedTuple):
    """`run`: the function, called in its own process; `limits`: settings to try; `files`: descriptors allowed to the server, 0: as many as here."""

    run: Callable[[Aim], int]
    limits: tuple[str, ...] = ON
    settings: Mapping[str, str] = MappingProxyType({})
    files: int = 0


TURN: Final = {"SERENDIP_VIDEO__TURN": "turn:127.0.0.1:3478"}
PROXY: Final = {"SERENDIP_SERVER__PROXIES": "127.0.0.0/8"}
SMALL: Final = {"SERENDIP_CHAT__MEMORY": "4MiB"}

ATTACKS: Final[dict[str, Attack]] = {
    "none": Attack(connections.none),
    "silent": Attack(connections.silent),
    "silent, 1024 files": Attack(connections.silent, files=1024),
    "slow heads": Attack(connections.heads),
    "slow bodies": Attack(connections.bodies),
    "answers not taken": Attack(connections.untaken, BOTH),
    "churn of one": Attack(connections.churn),
    "churn of all": Attack(connections.churn_everywhere),
    "half closed": Attack(connections.closes),
    "byte by byte": Attack(connections.bytewise),
    "finds": Attack(frames.finds, BOTH),
    "slow interests": Attack(frames.interests),
    "languages": Attack(frames.languages, BOTH),
    "deaf partners": Attack(frames.deaf, BOTH),
    "deaf, 4 MiB": Attack(frames.deaf, OFF, SMALL),
    "half messages": Attack(frames.halves, BOTH),
    "empty pieces": Attack(frames.continuations),
    "pings": Attack(frames.pings, BOTH),
    "half characters": Attack(frames.surrogates, BOTH),
    "deep JSON": Attack(frames.deep),
    "typing": Attack(frames.typing),
    "lines": Attack(frames.lines),
    "spies": Attack(frames.spies),
    "reports": Attack(frames.reports, OFF),
    "saves": Attack(frames.saves),
    "signals": Attack(frames.signals, ON, TURN),
    "pages": Attack(requests.pages),
    "one saved log": Attack(requests.logs),
    "/%77s": Attack(requests.encoded, ON, PROXY),
    "pipelined upgrades": Attack(requests.pipelined),
    "polls": Attack(requests.polls),
    "starts": Attack(requests.starts, BOTH),
    "long polls": Attack(requests.long_polls),
    "forgotten polls": Attack(requests.forgotten_polls, BOTH),
    "tickets": Attack(forms.tickets),
    "own data": Attack(forms.own_data),
    "wrong keys": Attack(forms.wrong_keys),
    "appeals": Attack(forms.appeals),
    "notices": Attack(forms.notices),
    "long folds": Attack(forms.long_folds),
}
# What costs a stranger little, and the server work or memory: the rows of docs/operate/security.md.
RESOURCES: Final = (
    "none", "finds", "slow interests", "languages", "polls", "reports", "churn of one", "churn of all", "saves", "signals",
    "half characters", "deep JSON", "pipelined upgrades", "/%77s", "tickets", "own data", "wrong keys", "appeals", "notices", "long folds",
)  # fmt: skip
