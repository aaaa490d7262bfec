"""Find the files that are installed beside the program: the manual, the alert rules, the examples of `deploy/`.

A wheel has them in `shipped/` of this package (setup.py copies them there); a checkout has them in its own folders. Both have the same tree.
"""

from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).parent / "shipped"
CHECKOUT: Final = Path(__file__).parents[3]
# What setup.py copies: folders with their files, and single files.
PATTERNS: Final = (
    "docs/*.md",
    "docs/operate/*.md",
    "docs/operate/templates/*.md",
    "grafana/alerts.yml",
    "deploy/*",
    "deploy/kubernetes/*",
    "CHANGELOG.md",
    "SECURITY.md",
)


def tree() -> Path:
    """Return the folder in which `docs/operate/` is."""
    return SHIPPED if SHIPPED.is_dir() else CHECKOUT


def alert_rules() -> str:
    """Return the rules for Prometheus. Raises OSError."""
    return (tree() / "grafana/alerts.yml").read_text()
