"""List the assumptions: how many users there are, what they do, and what was not measured. Each is here once, with its reason."""

from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Assumed:
    """One scenario. Times in seconds, rates a second."""

    people: int = 10_000_000
    cluster: int = 1_000_000  # people of one cluster, which has one waiting room
    talking: float = 0.85  # of the people; the others wait, or read
    lines: float = 0.12  # a second, of one who talks
    typing: float = 0.2  # frames that say that one types, or not any more
    find_every: float = 90.0  # of one who talks: half of all chats are skipped soon, others last minutes
    apart: float = 0.9  # of the pairs, those whose two came in by different hosts: so it is with ten and no order
    line_bytes: int = 100  # of a line in a chat's ring, with its twelve bytes of head
    rings: float = 1.5  # a person: half of the one of their chat, and the last one, which either may still save
    drops: float = 1 / 3600  # connections lost, a person: each comes back by any host
    languages: int = 120
    exponent: float = 1.2  # of their sizes (Zipf): the first has a quarter, the last a thousandth
    home: float = 0.7  # of a language's people those who are in its home cluster
    interests: float = 0.5  # of the searches those that name any
    thin: float = 2.0  # arrivals a second: a pool with fewer in a cluster is thin
    tls: float = 8_000.0  # handshakes of one host's front: eight cores at a thousand each
    queue: float = 0.25  # seconds of them that may wait in it; beyond it refuses
    grace: float = 15.0  # for which a dropped connection's session is kept
    bus_us: float = (
        28.0  # of a hub for a message of NATS, by a client in Python, either way; measured once over two hosts
    )
    beat: float = 0.25  # between two heartbeats of a host
    batch: float = 0.001  # the least between two messages to one host

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return max(1, round(self.people / self.cluster))


SAID: Final[dict[str, tuple[str, str]]] = {
    "people": ("", "people connected"),
    "cluster": ("", "people of a cluster, which has one waiting room"),
    "talking": ("", "of them, those who talk"),
    "lines": ("/s", "lines of one who talks"),
    "typing": ("/s", "frames of one who talks that say who types"),
    "find_every": ("s", "from one search to the next of one who talks"),
    "apart": ("", "of the pairs, those whose two came in by different hosts, where nothing puts them together"),
    "line_bytes": ("bytes", "a line in the memory of its chat"),
    "rings": ("", "chats in memory, a person: half of the present one, and the last"),
    "drops": ("/s", "connections lost, a person"),
    "languages": ("", "languages"),
    "exponent": ("", "how fast they get smaller (Zipf)"),
    "home": ("", "of a language's people, those in its home cluster"),
    "interests": ("", "of the searches, those that name interests"),
    "thin": ("/s", "arrivals below which a pool of a cluster is thin"),
    "tls": ("/s", "TLS handshakes of one host's front"),
    "queue": ("s", "of handshakes that wait in it before it refuses"),
    "grace": ("s", "for which a dropped connection's session is kept"),
    "bus_us": (
        "µs",
        "a message of NATS for a hub, sent or heard (measured once over two hosts: four of them bring a ticket and its answer)",
    ),
    "beat": ("s", "between two heartbeats of a host"),
    "batch": ("s", "between two messages to one host, at the least"),
}


def told(world: Assumed) -> dict[str, Any]:
    """Return it as it is kept beside the figures."""
    return asdict(world)
