"""Check that requests about one's data do not affect the service: their modules know no engine, and the engine reads nothing that they write."""

from tests.house.sources import imports, modules
from tests.house.test_imports import graph

RIGHTS = ("server.trust.rights", "server.trust.data_requests", "server.trust.data_export")
OURS = (*RIGHTS, "server.data.schema.data_request_schema", "server.data.schema.deletion_schema")
# Modules that may know of requests: those that assemble the parts, that store, purge, count and restore rows, and operators'
# commands.
MAY_KNOW = {
    "server.main.app",
    "server.main.parts.store_opening",
    "server.main.parts.server_parts",
    "server.main.commands.incident_commands",
    "server.main.commands.privacy_commands",
    "server.main.commands.request_commands",
    "server.main.commands.mail_commands",
    "server.data.retention.purge",
    "server.data.retention.requested_deletion",
    "server.data.retention.deletion_notices",
    "server.main.commands.person_commands",
    "server.trust.console.console_app",
    "server.trust.console.request_routes",
    "server.data.retention.monthly_counts",
    "server.trust.publication.figure_tables",
    "server.trust.publication.monthly_figures",
    "server.data.retention.notice_and_request_expiry",
    "server.data.retention.service_closure",
    "server.main.commands.closure_commands",
    "server.data.schema.hidden_row_conditions",
    "server.data.privacy.registry_check",
}


def test_what_serves_rights_imports_nothing_of_the_engine() -> None:
    found = modules()
    mine = {name: sources for name, sources in found.items() if name.startswith(RIGHTS)}
    assert len(mine) > 10
    wrong = {
        f"{name} imports {other}"
        for name, sources in mine.items()
        for source in sources
        for other in imports(source, found)
        if other.split(".")[0] in ("engine", "ext")
    }
    assert not wrong


def test_what_decides_and_what_carries_chats_knows_nothing_of_rights() -> None:
    wrong = {
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if other.startswith(OURS)
        and not name.startswith((*RIGHTS, "server.data.store", "server.data.backup", "bench."))
        and name not in MAY_KNOW
    }
    assert not wrong
