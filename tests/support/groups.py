"""Sort tests into tiers and groups (`make test` has six workers on two cores, because much of it waits).

Three tiers: a test that is not `outside` starts no other program (`make quick`); tests that are not `thorough` prove each capability once,
end to end (`make test`); `make test-all` runs all: further every state of the page, every cut, every database, benches, and tests of the
test tools.

**Invariant:** a test is `outside` by its place or its fixtures: it starts a browser, a database (SQLite in a file included), a server,
another program (a compiler too), or dozens of processes. One worker runs the tests of a file in order, so that shared servers start once.
Browser tests form four groups, of which three begin at once: more would be late, and one group would run for minutes after the rest. The
longest groups begin first, then all that start programs; tests of one process fill the gaps at the end.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

BROWSERS = (
    "tests/server/site/web/",
    "tests/server/realtime/video/page/",
    "tests/server/trust/console/page/",
    "tests/server/data/privacy/test_canary.py",
    "tests/site/",
)
STILL = "tests/server/site/web/test_gallery.py"  # pictures of static states: nothing in them is time-critical
WINDOWS, MORE_WINDOWS, ELSEWHERE = "windows of the page", "more windows of the page", "other browsers"
CELL = "tests/cluster/"  # one cluster of three hosts for all of them
HOUSE = "tests/house/"  # each source is read once for all of them
FROM = "tests/server/site/web/test_next.py"  # the first file of the page's second group
# By CPU seconds, not by the number of tests.
LONGEST = (
    WINDOWS,
    MORE_WINDOWS,
    ELSEWHERE,
    "tests/server/fleet/migrate/test_upgrade_people.py",
    "tests/server/trust/rights/test_killed.py",
    "tests/server/fleet/cluster/test_leaving_deaths.py",
    "tests/server/fleet/cluster/test_deaths.py",
    "tests/server/fleet/migrate/test_upgrade.py",
    "tests/server/fleet/migrate/test_upgrade_deaths.py",
    STILL,  # after the others have run for minutes: three browsers at a time are enough
    "tests/server/main/processes/test_process_group.py",
    "tests/server/fleet/processes/test_worker_drain_out.py",
    "tests/server/fleet/frontend/test_store_client.py",
    "tests/server/site/front/test_openapi.py",
    "tests/server/data/retention/test_purge.py",
    "tests/server/trust/moderation/test_age.py",
    "tests/c/test_structures.py",
    "tests/grafana/test_scrape.py",
    "tests/server/data/retention/test_stale_cases.py",
    CELL,  # last: it waits until no browser window is open (network.py)
)
OUTSIDE = (
    *BROWSERS,
    "tests/bench/",
    "tests/c/",
    "tests/cluster/",
    "tests/deploy/",
    "tests/fuzz/test_campaign.py",
    "tests/grafana/",
    "tests/server/trust/challenge/test_captcha_frame.py",
    "tests/server/trust/challenge/test_several_captchas.py",
    "tests/server/fleet/cluster/test_one_room.py",
    "tests/server/fleet/cluster/test_crossing_cuts.py",
    "tests/server/fleet/cluster/test_crossing_lines.py",
    "tests/server/fleet/cluster/test_last_chat.py",
    "tests/server/fleet/cluster/test_deaths.py",
    "tests/server/fleet/cluster/test_leaving.py",
    "tests/server/fleet/cluster/test_leaving_deaths.py",
    "tests/server/fleet/cluster/test_measures.py",
    "tests/server/fleet/cluster/test_programs.py",
    "tests/server/fleet/cluster/test_proxy_hosts.py",
    "tests/server/fleet/cluster/test_releases.py",
    "tests/server/fleet/cluster/test_cluster_frontend_parts.py",
    "tests/server/fleet/cluster/test_together.py",
    "tests/server/site/college/",
    "tests/client/test_client.py::test_what_a_limit_refused_says_when_to_come_back",
    "tests/client/test_client.py::test_the_echo_bot_meets_all_that_come",
    "tests/client/test_client.py::test_a_puzzle_before_a_search",
    "tests/server/main/commands/test_chat_client_commands.py",
    "tests/server/main/commands/test_cluster_commands.py",
    "tests/client/test_distribution.py",
    "tests/client/test_get_started.py",
    "tests/client/test_protocol.py",
    "tests/client/test_react.py",
    "tests/client/test_album.py",
    "tests/client/test_heartbeat.py::test_the_partner_waits_for_a_client_in_javascript",
    "tests/client/test_resumes.py",
    "tests/client/test_runtimes.py",
    "tests/client/test_types.py",
    "tests/server/http/request/test_handshake_reasons.py",
    "tests/engine/wire/test_protocol.py::test_a_changed_number_of_the_protocol_is_the_default_of_its_setting",
    "tests/ext/accept/test_address_table_processes.py",
    "tests/ext/net/test_nogil.py",
    "tests/ext/migrate/test_tcp_peer_liveness.py",
    "tests/server/http/request/test_client_info.py",
    "tests/server/site/front/test_api_documents.py",
    "tests/server/http/request/test_reactor_handoff.py",
    "tests/server/http/request/test_origins.py",
    "tests/server/site/front/test_openapi.py",
    "tests/server/http/request/test_well_known.py",
    "tests/server/fleet/migrate/test_upgrade.py",
    "tests/server/fleet/migrate/test_upgrade_deaths.py",
    "tests/server/fleet/migrate/test_upgrade_kept.py",
    "tests/server/fleet/migrate/test_upgrade_people.py",
    "tests/server/fleet/migrate/test_upgrade_programs.py",
    "tests/server/fleet/migrate/test_versions.py",
    "tests/server/site/omegle/",
    "tests/server/site/polling/",
    "tests/server/data/retention/test_purge.py",
    "tests/server/data/statement/test_routes.py",
    "tests/server/trust/rights/test_equal_service.py",
    "tests/server/trust/rights/test_killed.py",
    "tests/server/trust/rights/test_request_page_base.py",
    "tests/server/data/chat_logs/",
    "tests/server/data/statistics/test_routes.py",
    "tests/server/data/objects/",
    "tests/server/data/store/",
    "tests/server/data/database/",
    "tests/server/data/backup/",
    "tests/server/main/checks/test_external_service_checks.py",
    "tests/server/ops/alerts/test_alertmanager_config.py::test_amtool",
    "tests/server/ops/process/test_unix_user_switch.py",
    "tests/server/ops/process/test_side_port.py",
    "tests/server/ops/process/test_foreground_proxy.py",
    "tests/server/trust/moderation/test_age.py",
    "tests/server/trust/sanctions/test_ban_loader.py",
    "tests/server/trust/moderation/test_hostile.py",
    "tests/server/trust/moderation/test_paused.py",
    "tests/server/trust/moderation/test_service.py",
    "tests/server/main/commands/test_rule_commands.py::test_a_line_is_answered_before_the_next_is_written_and_a_closed_reader_ends_it_quietly",
    "tests/server/main/test_cli.py",
    "tests/server/main/test_server_user.py",
    "tests/test_audit.py",
    "tests/server/main/test_single_process_server.py",
    "tests/server/test_main_descriptors.py",
    "tests/server/test_refused_country.py",
    "tests/server/test_source_ports.py",
    "tests/server/site/translation/test_routes.py::test_without_one",
    "tests/server/realtime/video/",
    "tests/server/fleet/frontend/test_store_client.py",
    "tests/server/realtime/worker/test_chat.py",
    "tests/server/fleet/processes/test_deaths.py",
    "tests/server/fleet/processes/test_worker_drain_out.py",
    "tests/server/fleet/supervisor/test_next_generation.py",
    "tests/server/main/processes/test_process_group.py",
    "tests/server/fleet/processes/test_moved_on.py",
    "tests/server/fleet/processes/test_paused.py",
    "tests/server/fleet/processes/test_scrape.py",
    "tests/server/fleet/supervisor/test_supervisor.py",
    "tests/server/fleet/supervisor/test_watchdog.py",
    "tests/server/fleet/processes/test_weighed.py",
    "tests/server/main/processes/test_frontend_upgrade.py",
    "tests/server/realtime/worker/test_resume.py",
    "tests/server/realtime/worker/test_pairing.py",
    "tests/server/realtime/worker/test_resume_cuts.py",
    "tests/support/test_forkserver.py",
    "tests/support/test_unsteady.py",
    "tests/test_dist.py",
    "tests/test_install.py",
    "tests/test_release.py",
    "tests/test_wheel.py",
    "tests/server/main/checks/test_cluster_needs.py",
    "tests/server/fleet/migrate/test_upgrade_source.py",
    "tests/server/main/parts/test_line_screening.py",
    "tests/server/main/parts/test_store_opening.py",
    "tests/server/trust/pictures/test_picture_client.py",
    "tests/server/trust/pictures/test_picture_relay.py::test_a_hostile_client_gets_a_clear_error_each_time_and_hurts_nobody",
    "tests/server/trust/pictures/test_picture_process.py",
    "tests/server/trust/pictures/test_remote_scores.py",
    "tests/server/trust/text_provider/",
    "tests/server/main/processes/test_frontend.py",
    "tests/server/fleet/supervisor/test_operator_orders.py",
    "tests/server/main/processes/test_worker_process.py",
)
# Tests that `make test` leaves to `make test-all`: each state of the page beside the main walks, each cut and death, hosts in network namespaces,
# benches, the tools of the tests.
THOROUGH = (
    "tests/client/test_heartbeat.py::test_the_partner_waits",  # ten seconds of silence
    "tests/client/test_resumes.py::test_cuts_at_any_byte_cost_nothing[1000]",
    "tests/client/test_runtimes.py",  # programs of a hundred megabytes are loaded
    "tests/client/test_types.py::test_the_examples",
    "tests/bench/",
    "tests/c/",
    "tests/client/test_distribution.py",
    "tests/cluster/",
    "tests/deploy/test_cluster.py",
    "tests/deploy/test_image.py",
    "tests/ext/match/test_matcher_held.py",
    "tests/ext/match/test_matcher_load.py",
    "tests/ext/accept/test_address_table_processes.py",
    "tests/ext/net/test_nogil.py",
    "tests/ext/migrate/test_tcp_peer_liveness.py",
    "tests/grafana/test_scrape.py",
    "tests/server/trust/challenge/test_several_captchas.py",
    "tests/server/main/checks/test_external_service_checks.py",
    "tests/server/fleet/nats/test_nats_bus.py",
    "tests/server/fleet/cluster/test_cluster_heartbeat.py",
    "tests/server/fleet/cluster/test_crossing_cuts.py",
    "tests/server/fleet/cluster/test_crossing_lines.py",
    "tests/server/fleet/cluster/test_deaths.py",
    "tests/server/fleet/cluster/test_epoch_key_exchange.py",
    "tests/server/fleet/cluster/test_last_chat.py",
    "tests/server/fleet/cluster/test_leaving.py",
    "tests/server/fleet/cluster/test_leaving_deaths.py",
    "tests/server/fleet/cluster/test_measures.py",
    "tests/server/fleet/cluster/test_one_room.py",
    "tests/server/fleet/cluster/test_programs.py",
    "tests/server/fleet/cluster/test_proxy_hosts.py",
    "tests/server/fleet/cluster/test_releases.py",
    "tests/server/fleet/nats/test_nats_connection.py",
    "tests/server/trust/console/page/test_languages.py",
    "tests/server/trust/console/page/test_pictures.py",
    "tests/server/trust/console/page/test_programs.py",
    "tests/site/",
    "tests/server/trust/console/test_spoken.py",
    "tests/server/fleet/migrate/test_upgrade_deaths.py",
    "tests/server/fleet/migrate/test_upgrade_kept.py",
    "tests/server/fleet/migrate/test_upgrade_people.py",
    "tests/server/fleet/migrate/test_upgrade_programs.py",
    "tests/server/fleet/migrate/test_versions.py",
    "tests/server/site/front/test_openapi.py",
    "tests/server/site/omegle/test_remote_sessions.py",
    "tests/server/site/omegle/test_crowded.py",
    "tests/server/site/omegle/test_cut.py",
    "tests/server/site/omegle/test_handing_over.py",
    "tests/server/site/omegle/test_client_table.py",
    "tests/server/site/omegle/test_skipping.py",
    "tests/server/site/omegle/test_together.py",
    "tests/server/site/omegle/test_remote_session.py",
    "tests/server/data/privacy/test_canary.py",
    "tests/server/trust/rights/test_equal_service.py",
    "tests/server/trust/rights/test_killed.py",
    "tests/server/trust/moderation/hostile/",
    "tests/server/trust/pictures/test_remote_scores.py",
    "tests/server/trust/moderation/test_age.py",
    "tests/server/trust/moderation/test_hostile.py",
    "tests/server/trust/moderation/test_paused.py",
    "tests/server/data/retention/test_stale_cases.py",
    "tests/server/data/store/test_wal.py",
    "tests/server/test_main_descriptors.py",
    "tests/server/realtime/video/page/test_cameras.py",
    "tests/server/realtime/video/page/test_checked.py",
    "tests/server/realtime/video/page/test_college.py",
    "tests/server/realtime/video/page/test_hands.py",
    "tests/server/realtime/video/page/test_means.py",
    "tests/server/realtime/video/page/test_onward.py",
    "tests/server/realtime/video/page/test_robots.py",
    "tests/server/realtime/video/page/test_shown.py",
    "tests/server/realtime/video/page/test_within_reach.py",
    "tests/server/site/web/test_by_hand.py",
    "tests/server/site/web/test_called.py",
    "tests/server/site/web/test_check.py",
    "tests/server/site/web/test_company.py",
    "tests/server/site/web/test_ends.py",
    "tests/server/site/web/test_gallery.py",
    "tests/server/site/web/test_habits.py",
    "tests/server/site/web/test_installed.py",
    "tests/server/site/web/test_language.py",
    "tests/server/site/web/test_later.py",
    "tests/server/site/web/test_lost_files.py",
    "tests/server/site/web/test_network.py",
    "tests/server/site/web/test_next.py",
    "tests/server/site/web/test_notified.py",
    "tests/server/site/web/test_on_paper.py",
    "tests/server/site/web/test_other_ways.py",
    "tests/server/site/web/test_programs.py",
    "tests/server/site/web/test_public.py",
    "tests/server/site/web/test_saved_page.py",
    "tests/server/site/web/test_snap.py",
    "tests/server/site/web/test_translation.py",
    "tests/server/site/web/test_upgraded.py",
    "tests/server/realtime/worker/test_resume_cuts.py",
    "tests/server/fleet/processes/test_deaths.py",
    "tests/server/fleet/processes/test_worker_drain_out.py",
    "tests/server/fleet/supervisor/test_next_generation.py",
    "tests/server/fleet/frontend/test_store_client.py",
    "tests/server/fleet/processes/test_moved_on.py",
    "tests/server/fleet/processes/test_paused.py",
    "tests/server/fleet/processes/test_scrape.py",
    "tests/server/fleet/supervisor/test_watchdog.py",
    "tests/server/fleet/processes/test_weighed.py",
    "tests/server/main/processes/test_frontend_upgrade.py",
    "tests/support/",
    "tests/server/main/test_server_user.py::test_every_process_is_that_user_and_an_upgrade_changes_nothing_of_it[1]",
    "tests/server/main/test_server_user.py::test_a_server_that_is_root",
    "tests/test_audit.py",
    "tests/test_dist.py",
    "tests/test_install.py",
    "tests/test_wheel.py",
)
# Tests for which `make test` also uses PostgreSQL and S3; others use SQLite and a folder, and `make test-all` uses both.
OTHER_STORES = (
    "tests/server/data/chat_logs/test_saved_logs.py",
    "tests/server/data/store/test_store_runner.py",
    "tests/server/trust/data_export/test_person_export.py",
)
_quick: list[str] = []  # the current test, if it must not start a program
# Fixtures that start a program, and the parameter values that make others do so.
STARTING = {"browser", "bucket", "cluster", "migrated", "nats", "server"}
CHOICES = {"postgresql", "s3"}
QUICK = "not outside"  # the `-m` of `make quick`
TEST = "not thorough"  # the `-m` of `make test`
SHARE = 4  # `make quick` tries one in so many generated examples and histories; other runs try all
_share = 1


def group_of(test: str) -> str:
    """Return the group of a test, by its node id."""
    for folder in (CELL, HOUSE):
        if test.startswith(folder):
            return folder
    if not test.startswith(BROWSERS) or test.startswith(STILL):
        return test.partition("::")[0]
    if not test.startswith(BROWSERS[0]):
        return ELSEWHERE
    return WINDOWS if test < FROM else MORE_WINDOWS


def turn_of(group: str) -> int:
    """Return the order of a group: lower ones begin earlier."""
    if group in LONGEST:
        return LONGEST.index(group)
    return len(LONGEST) + (not group.startswith(OUTSIDE))


def is_outside(item: pytest.Item) -> bool:
    """Whether a test starts another program."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.nodeid.startswith(OUTSIDE) or bool(fixtures & STARTING) or has_other_store(item)


def is_thorough(item: pytest.Item) -> bool:
    """Whether `make test` leaves a test to `make test-all`."""
    return item.nodeid.startswith(THOROUGH) or (has_other_store(item) and not item.nodeid.startswith(OTHER_STORES))


def has_other_store(item: pytest.Item) -> bool:
    """Whether a test's parameters choose a database or object store that is a program of its own."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and any(
        value in CHOICES for value in callspec.params.values() if isinstance(value, str)
    )


def examples(most: int = 100) -> int:
    """Return how many generated examples a test tries in this run; `most` if all tests run."""
    return max(1, most // _share)


def pytest_configure(config: pytest.Config) -> None:
    """Set hypothesis's default number of examples before the tests are read."""
    global _share
    _share = SHARE if config.option.markexpr == QUICK else 1
    settings.register_profile("of this run", settings(), max_examples=examples())
    settings.load_profile("of this run")


def may_start() -> None:
    """Raise AssertionError in a test that is not known to start a server, because `make quick` would run it. Called by code that starts one."""
    assert not _quick, f"{_quick[0]} starts a server: it belongs to OUTSIDE in {__file__}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note the current test for `may_start`."""
    _quick[:] = [] if item.get_closest_marker("outside") else [item.nodeid]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip files without a test of the selected tier: reading them takes longer than a tenth of the quick tests."""
    left = {QUICK: OUTSIDE, TEST: THOROUGH}.get(config.option.markexpr)
    if left is None or not collection_path.is_relative_to(config.rootpath):
        return None
    place = collection_path.relative_to(config.rootpath).as_posix() + "/" * collection_path.is_dir()
    return True if place.startswith(left) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the marker before `-m` is applied."""
    for item in items:
        if is_outside(item):
            item.add_marker(pytest.mark.outside)
        if is_thorough(item):
            item.add_marker(pytest.mark.thorough)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return xdist's scheduler of groups with these groups and their order."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # only where xdist is asked for

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            self.workqueue.move_to_end(min(self.workqueue, key=turn_of), last=False)  # of equal ones the first
            super()._assign_work_unit(node)

    return Groups(config, log)
