"""The table of orders: whom an order names is sealed, and no keyed value of theirs stands beside it."""

from sqlalchemy import LargeBinary

from server.data.schema.law_order_schema import law_order


def test_an_order_holds_no_keyed_value() -> None:
    binary = {c.name: c.type.length for c in law_order.columns if isinstance(c.type, LargeBinary)}
    assert set(binary) == {"selector", "paper"}
    assert 17 not in binary.values()
