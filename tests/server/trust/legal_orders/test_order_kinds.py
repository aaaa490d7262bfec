"""Each kind of order, and each category: what is beyond the bound is refused."""

from __future__ import annotations

from itertools import product

import pytest

from server.data.privacy.registry_model import Category
from server.trust.legal_orders.order_kinds import EVERYTHING, KINDS, BeyondBounds, categories, opened

# As the statement and the law have it, written down apart from the program's own table.
BOUNDS = {
    "demand": "AFH", "subpoena": "A", "court_order": "AFG", "epoc_subscriber": "AFG", "preservation": "", "report": "AHL",
    **dict.fromkeys(("warrant", "epoc_content", "emergency"), ("A", "B", "F", "G", "H", "L", "LOG")),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), list(product(KINDS, sorted(one.name for one in EVERYTHING))))
def test_a_category_beyond_the_bound_of_its_kind_is_never_opened(kind: str, name: str) -> None:
    category = Category[name]
    if name in BOUNDS[kind]:
        assert opened(kind, [category]) == (category,)
    else:
        assert opened(kind, [category]) == ()
        with pytest.raises(BeyondBounds):
            opened(kind, [category], [category])
    with pytest.raises(BeyondBounds):
        opened(kind, [], [category])  # what the order does not name


def test_an_order_is_narrowed_to_its_bound_and_may_be_narrowed_further() -> None:
    asked = categories("a, G,F,LOG")
    assert opened("court_order", asked) == (Category.A, Category.F, Category.G)
    assert opened("court_order", asked, [Category.F]) == (Category.F,)
    for wrong in ("NONE", "C", "X", "A;F"):
        with pytest.raises(BeyondBounds):
            categories(wrong)
