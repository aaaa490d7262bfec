"""Run a bench by its verb: `python -m bench VERB`. Only the module of that verb is loaded.

A verb's module has `add_arguments(parser)` and `main(chosen)`, which returns the exit status. **Invariant:** there is no other way to start a
bench.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple


class Verb(NamedTuple):
    """Module of a verb, and its help in one line."""

    module: str
    help: str


VERBS: Final = {
    "whole": Verb(
        "bench.server.peer_comparison", "the server beside its peers; writes bench/results/ and the documents"
    ),
    "quick": Verb("bench.server.quick", "two minutes: Serendip and the floor, no documents"),
    "compare": Verb("bench.server.compare", "rows that are slower than in the last committed results"),
    "report": Verb("bench.report", "tables, plots and documents from the last results"),
    "matching": Verb(
        "bench.matching.matcher_suite", "matcher and quality, all parts; writes bench/results/ and the documents"
    ),
    "matcher": Verb("bench.matching.matcher", "the matcher's speed: the index alone, the service's waiting room"),
    "quality": Verb("bench.matching.quality", "the matcher's share of the optimum, and the wait that it costs"),
    "meeting": Verb("bench.server.match_time", "time from `find` to `matched` on a busy server"),
    "workers": Verb("bench.server.workers", "two workers against one process: messages, chats, the hub, time to match"),
    "omegle": Verb("bench.server.omegle", "Omegle's protocol: chats started per second, polls held"),
    "store": Verb("bench.storage.store", "cost of storing: records, purge, races, logs, guesses"),
    "know": Verb("bench.storage.access_requests", "cost of an access request: the answer, the archive"),
    "disclosures": Verb(
        "bench.storage.disclosures",
        "a line of the ledger, alone and beside a busy process; a ledger verified; a package; a mail answered; --keep",
    ),
    "reports": Verb("bench.storage.reports", "reports answered and stored, and their effect on two users who chat"),
    "bans": Verb("bench.storage.bans", "cost of bans per connection, and their memory"),
    "console": Verb("bench.storage.console", "the console's pages at 10,000 open cases; --keep writes the results"),
    "screening": Verb(
        "bench.safety.screening", "the relay with screening and without, delay of detections, the program; --keep"
    ),
    "detection": Verb(
        "bench.detection.detection", "recall, precision and false alarms of detection, by class and language; --record"
    ),
    "train": Verb(
        "bench.detection.train", "make the small text model of detection from the public sets and our own lines"
    ),
    "card": Verb("bench.detection.model_card", "write the figures of the text model's card"),
    "veil": Verb(
        "bench.video.veil_delay", "time until a partner's picture is blurred, in two browsers; --keep writes it"
    ),
    "smooth": Verb("bench.video.frame_gaps", "gaps between video frames while pictures are taken; --keep writes it"),
    "pictures": Verb(
        "bench.safety.pictures", "checks of camera pictures: verdicts, pictures per second, the program; --keep"
    ),
    "challenges": Verb(
        "bench.safety.challenges", "challenges made and solutions checked, and turns of the event loop; --keep"
    ),
    "cuts": Verb("bench.load.connection_cuts", "connections cut at random bytes; no line may be lost"),
    "soak": Verb("bench.load.soak", "churn, chat, cuts, slow readers; a verdict at the end"),
    "faults": Verb(
        "bench.load.cluster_soak",
        "three hosts under talk: kills, stalls, cuts, full disks, wrong clocks, upgrades; a verdict; --write",
    ),
    "upgrade": Verb(
        "bench.load.upgrade", "upgrades under load: lines lost, connections cut, delay of lines; a verdict"
    ),
    "moves": Verb("bench.moves.moves", "cost of migrating a session to another process: CPU and instructions; --keep"),
    "cells": Verb(
        "bench.server.two_hosts",
        "two hosts of one cluster: time to match, time and CPU of a line; --keep writes it",
    ),
    "hosts": Verb(
        "bench.load.process_deaths", "several processes: random deaths and upgrades while users chat; a verdict"
    ),
    "attacks": Verb("bench.attacks.attacks", "each attack's effect on other users, and what it leaves behind"),
    "hostile": Verb(
        "bench.hostile.hostile",
        "hostile scripts beside fifty pairs: the defence that stops each, effect on the pairs; --keep",
    ),
    "scale": Verb(
        "bench.scale.capacity_estimate",
        "estimate for ten million users, from measured costs; --keep writes it",
    ),
    "million": Verb("bench.server.waiting_clients", "many clients connected and waiting, both ends here"),
    "video": Verb("bench.video.video", "calls set up per second, first frames, peers per core (aiortc, coturn)"),
    "page": Verb(
        "bench.page.first_visit", "a first visit to the page: bytes, first content, usable; --keep writes them"
    ),
    "motion": Verb(
        "bench.page.motion", "work of the page while one waits, a press on Next, layout shift on two visits"
    ),
    "budget": Verb(
        "bench.budget.chat_cpu_breakdown",
        "CPU time of a chat by part: clock and instruction counts; --keep writes them",
    ),
    "instructions": Verb(
        "bench.server.instructions", "instructions of a message, a screened line, a chat and its record (callgrind)"
    ),
    "profile": Verb("bench.server.profile", "a flame graph of the server under load (py-spy)"),
    "preview": Verb("bench.boards.preview", "each panel's series drawn from a live Prometheus"),
}


def main(words: Sequence[str]) -> int:
    """Run a verb with its arguments and return the exit status."""
    if not words or words[0] not in VERBS:
        return listed(words)
    module = import_module(VERBS[words[0]].module)
    parser = argparse.ArgumentParser(
        prog=f"python -m bench {words[0]}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    status: int = module.main(parser.parse_args(words[1:]))
    return status


def listed(words: Sequence[str]) -> int:
    """Print the list of verbs; without a verb, or with an unknown one, as an error."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        usage="%(prog)s VERB [--help] …",
        description="\n".join(f"{name:<14}{verb.help}" for name, verb in VERBS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(words[:1] if words and words[0].startswith("-") else [])
    parser.error(f"no such verb: {words[0]}" if words else f"a verb is missing: one of {', '.join(VERBS)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
