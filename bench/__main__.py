"""`python -m bench VERB`: measure, compare, report. `python -m bench --help` lists the verbs."""

import argparse
import sys


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    whole = verbs.add_parser(
        "whole", help="the server beside its peers; writes bench/results/ and the documents' figures"
    )
    whole.add_argument("--rounds", type=int, default=5)
    whole.add_argument("--seconds", type=float, default=2.0)
    whole.add_argument("--only", default="", help="scenarios, with commas")
    verbs.add_parser(
        "matching", help="the matcher: speed, share of the optimum; writes bench/results/ and the documents"
    )
    verbs.add_parser("quick", help="two minutes: Serendip and the floor, no documents")
    verbs.add_parser("report", help="tables, plots and documents from the last results")
    verbs.add_parser("compare", help="what got worse since the last committed results")
    verbs.add_parser("instructions", help="instructions a message, with and without what counts (callgrind)")
    profile = verbs.add_parser("profile", help="a flame graph of the server under load (py-spy)")
    profile.add_argument("--seconds", type=float, default=20.0)
    soak = verbs.add_parser("soak", help="churn, chat, cuts, slow readers; a verdict at the end")
    soak.add_argument("--minutes", type=float, default=30.0)
    million = verbs.add_parser("million", help="many clients connected and waiting, both ends here")
    million.add_argument("--clients", type=int, default=1_000_000)
    video = verbs.add_parser("video", help="calls set up a second, first frames, peers a core (aiortc, coturn)")
    video.add_argument("--calls", type=int, default=10_000, help="signalled without media")
    video.add_argument("--frames", type=int, default=40, help="calls with media, for each figure")
    video.add_argument("--seconds", type=float, default=10.0, help="that calls run")
    verbs.add_parser("preview", help="each panel's series drawn from a live Prometheus")
    chosen = parser.parse_args()
    return run(chosen)


def run(chosen: argparse.Namespace) -> int:
    """Imports what the verb needs, and no more."""
    if chosen.verb in ("whole", "quick"):
        from bench.server import report
        from bench.server import whole as measured

        if chosen.verb == "quick":
            measured.quick()
            return 0
        only = tuple(name for name in chosen.only.split(",") if name)
        measured.write(measured.measure(chosen.rounds, chosen.seconds, only, sizes=not only), "whole")
        report.write()
    elif chosen.verb == "report":
        from bench.matching import figures as matching
        from bench.server import report

        report.write()
        matching.write()
    elif chosen.verb == "matching":
        from bench.matching import figures as matching

        matching.measure()
        matching.write()
    elif chosen.verb == "compare":
        from bench.server import compare

        return compare.main()
    elif chosen.verb == "instructions":
        from bench.server import instructions

        return instructions.main()
    elif chosen.verb == "profile":
        from bench.server import profile

        return profile.main(chosen.seconds)
    elif chosen.verb == "soak":
        from bench.load import soak

        return soak.main(chosen.minutes * 60)
    elif chosen.verb == "million":
        from bench.server import million

        return million.main(chosen.clients)
    elif chosen.verb == "video":
        from bench.video import video

        return video.main(chosen.calls, chosen.frames, chosen.seconds)
    elif chosen.verb == "preview":
        from bench.server import preview

        return preview.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
