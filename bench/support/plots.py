"""Save plots of results so that the same figures make the same file, byte for byte."""

from typing import Any

from bench.support.results import RESULTS


def pyplot() -> Any:
    """Return matplotlib without a screen."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "serendip"
    from matplotlib import pyplot

    return pyplot


def save(figure: Any, name: str) -> None:
    """Write a picture to bench/results/; no line ends with a space, so that git shows no noise."""
    figure.tight_layout()
    path = RESULTS / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
