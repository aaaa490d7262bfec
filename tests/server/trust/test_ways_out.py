"""Every place that opens an address or a sealed text is known: it serves the person themselves or moderation, or the ledger has its line.

The list names each function with its reason. A new caller fails the test until its reason is listed.
"""

from __future__ import annotations

import ast

import pytest

from tests.house.sources import ROOT, shown, tracked

OPENERS = ("live_address", "kept_address", "safety_address", "open_text", "unwrap")
OWN = "a person's export of their own data"
INSIDE = "stays within the service"
LEDGER = "within lines of the disclosure ledger"
KNOWN = {
    "server/data/keys/pseudonyms.py: Pseudonyms.reseal": "sealed again under the kept key, for a held row",
    "server/data/objects/sealed_objects.py: Sealed.get": "bytes of objects, for the callers of `Sealed`, below",
    "server/data/retention/deletion_notices.py: DeletionNotices._known": "sealed again, until recipients are told",
    "server/trust/rights/recipient_notices.py: RecipientNotices._tell": LEDGER,
    "server/trust/cases/user_appeals.py: Appeals._text": "words of a ban or an appeal, for its own person",
    "server/trust/cases/case_base.py: CaseBase._opened": "words of reports and bans, for moderators; exports are in the ledger",
    "server/trust/cases/case_disclosure.py: Disclosures._address_of": LEDGER,
    "server/trust/legal_orders/law_orders.py: LawOrders.read": "the text of an order, for officers",
    "server/trust/legal_orders/order_records.py: OrderRecords._addresses": LEDGER,
    "server/trust/data_export/person_rows.py: as_chat": OWN,
    "server/trust/data_export/person_rows.py: as_log": OWN,
    "server/trust/data_export/person_rows.py: _as_case": OWN,
    "server/trust/data_export/person_rows.py: words_of": OWN,
    "server/trust/data_requests/request_store.py: Requests._words": "words of a request, for its own person and for whoever answers it",
    "server/trust/reports/illegal_content_notices.py: opened": "words of a public notice, for moderators",
    "server/trust/sanctions/ban_rows.py: _shared": INSIDE,
}
# Who opens objects: saved logs, evidence.
SEALED = {
    "server/data/chat_logs/saved_logs.py: SavedLogs.__init__": "a saved log, for whoever has its link",
    "server/main/commands/case_commands.py: desk": "evidence, for moderators",
    "server/main/commands/queue_commands.py: queues": "evidence, for moderators",
    "server/main/commands/disclosure_commands.py: _desk": LEDGER,
    "server/main/commands/order_commands.py: _production": LEDGER,
    "server/trust/console/console_app.py: build": "evidence, for moderators",
    "server/trust/console/order_routes.py: add_orders": LEDGER,
    "server/trust/data_export/person_export.py: PersonExports.__init__": OWN,
    "server/trust/moderation/service.py: Safety.__init__": "evidence, written",
}


def uses(names: tuple[str, ...], *, made: bool = False) -> set[str]:
    """`file: function` of each use of these attributes, or (`made`) of each call of these classes, in the server."""
    found = set()
    for source in tracked("server/*.py"):
        for name, node in functions(ast.parse(source.read_text())):
            for inner in ast.walk(node):
                hit = (
                    isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in names
                    if made
                    else isinstance(inner, ast.Attribute) and inner.attr in names
                )  # fmt: skip
                if hit:
                    found.add(f"{shown(source)}: {name}")
    return found


def functions(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Functions and methods of a module with their names; an inner function belongs to the outer one. The rest of the module is `<module>`."""
    found: list[tuple[str, ast.AST]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((node.name, node))
        elif isinstance(node, ast.ClassDef):
            found += [
                (
                    f"{node.name}.{one.name}" if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) else node.name,
                    one,
                )
                for one in node.body
            ]
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            found.append(("<module>", node))
    return found


def test_whoever_opens_an_address_or_a_text_is_known() -> None:
    assert uses(OPENERS) == set(KNOWN)


def test_whoever_opens_objects_is_known() -> None:
    assert uses(("Sealed",), made=True) == set(SEALED)


def calls(tree: ast.AST, name: str) -> int:
    """Number of calls of a method of this name."""
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("server/trust/cases/case_disclosure.py", "_address_of"),
        ("server/trust/cases/case_disclosure.py", "_file"),
        ("server/trust/child_protection/referral_content.py", "_material"),
    ],
)
def test_what_leaves_is_read_between_two_lines_of_the_ledger(place: str, name: str) -> None:
    tree = ast.parse((ROOT / place).read_text())
    between = sum(
        calls(block, name)
        for block in ast.walk(tree)
        if isinstance(block, ast.AsyncWith) and any("recorded(" in ast.unparse(one.context_expr) for one in block.items)
    )
    assert between == calls(tree, name) > 0
