"""The statement's sentences: each promise has a check, a lawyer finds each point, and anybody can read it.

What a law asks for stands here as data; each point names texts of the registry (`text:`) or parts of the page (`id:`).
"""

from __future__ import annotations

import functools
import html
import re
from typing import Any

import pytest

from server.data.privacy.registry import REGISTRY
from server.data.statement.current_statement import PublishedStatement
from server.data.statement.statement_document import document
from server.data.statement.term_translations import SAID
from server.http.pages import Pages
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Settings
from tests.house.sources import ROOT

T = "tests/server"
CHANGED = "tests/server/data/statement/test_statement_versions.py::test_what_adds_is_announced_14_days_before_and_then_holds_without_a_word"
NOTHING = "tests/server/data/statement/test_statement_document.py::test_without_a_store_nothing_is_said_to_be_kept"
COOKIE = "tests/server/ops/security/test_identity_cookie.py::test_a_cookie_is_out_of_reach_for_scripts_and_other_sites_and_lasts_120_days"
DECLARED = "tests/server/data/privacy/test_canary.py::test_what_is_found_is_exactly_what_is_declared"
# By key: what fails where the promise is broken.
CHECKS: dict[str, tuple[str, ...]] = {
    "front.who": ("tests/server/data/statement/test_statement_document.py::test_what_an_operator_writes_is_text_and_no_template",),
    "front.what": (DECLARED,),
    "front.what.bare": ("tests/server/data/chat_logs/test_pages.py::test_without_a_store_nothing_is_kept_and_save_is_refused", NOTHING),
    "front.video": ("tests/server/realtime/video/test_signal_scrub.py::test_a_candidate_that_is_no_relays_does_not_pass",),
    "front.given": (DECLARED, "tests/server/data/statement/test_statement_document.py::test_providers_stand_there_by_name"),
    "front.given.bare": (DECLARED, NOTHING),
    "front.long": ("tests/server/data/retention/test_purge.py::test_what_is_older_than_120_days_goes_and_the_rest_stays",),
    "front.long.bare": (COOKIE,),
    "front.you": ("tests/server/site/web/test_refusals.py::test_forget_everything_empties_the_browser",),
    "front.why": ("tests/server/data/privacy/test_registry_check.py::test_an_item_says_all_that_the_law_asks_for",),
    "automated": (
        "tests/server/data/retention/test_monthly_counts.py::test_what_a_program_did_and_nobody_looked_at_ends_and_is_counted",
        "tests/server/trust/cases/test_automatic_bans.py::test_it_pauses_the_person_and_their_network_and_says_so_and_opens_a_case_with_the_text",
        "tests/server/trust/moderation/test_paused.py::test_where_nobody_reads_reports_nobody_is_paused_and_it_is_counted",
    ),
    "automated.bare": (NOTHING,),
    "slowing": ("tests/server/trust/challenge/test_session_challenges.py::test_using_a_right_changes_no_counter",),
    "security": (DECLARED, "tests/server/data/privacy/test_audit_log.py::test_where_the_line_cannot_be_written_nothing_is_done"),
    "security.bare": (NOTHING,),
    "transfers": ("tests/server/data/statement/test_recipient_check.py::test_a_part_that_reaches_others_wants_a_recipient_of_its_kind",),
    "countries": ("tests/server/realtime/worker/test_country_gate.py::test_a_user_of_a_refused_country_gets_no_session_and_nothing_is_kept",),
    "business":
    ("tests/server/data/statement/test_current_statement.py::test_what_was_disclosed_in_twelve_months_counts_versions_that_no_longer_hold",),
    "cookies": (COOKIE, "tests/server/site/web/test_refusals.py::test_keep_nothing_leaves_only_the_switch"),
    "refused": ("tests/server/site/web/test_refusals.py::test_with_storage_and_cookies_refused_a_text_chat_works",),
    "adults": (
        "tests/server/site/web/test_refusals.py::test_who_is_under_18_keeps_neither_cookie_nor_topics",
        "tests/engine/chats/test_age_question.py::test_the_chat_is_held_and_the_writer_is_asked_and_it_continues_after_18_or_over",
        "tests/server/trust/child_protection/test_minor_deletion.py::test_a_decision_deletes_what_is_stored_once_they_are_turned_away",
    ),
    "parents": ("tests/server/trust/publication/test_safety_page_routes.py::test_a_child_is_chosen_beforehand_and_nothing_else_can_be",),
    "captcha": (
        "tests/server/trust/challenge/test_captcha_verdicts.py::test_it_gets_the_answer_and_our_secret_and_an_address_only_where_that_is_wanted",
        "tests/server/site/web/test_company.py::test_a_browser_that_asks_not_to_be_tracked_sees_nothing_of_it",
    ),
    "cookies.captcha": (COOKIE,
    "tests/server/trust/challenge/test_captcha_frame.py::test_the_frame_s_policy_names_that_company_alone_and_the_page_that_frames_it"),
    "third.captcha": ("tests/server/site/web/test_company.py::test_it_is_loaded_after_they_agree_and_two_meet",),
    "third": ("tests/server/http/request/test_security_headers.py::test_only_html_may_have_a_script_and_only_one_of_ours",),
    "disk": (
        "tests/server/data/retention/test_purge.py::test_raw_files_of_sqlite_hold_nothing_of_what_was_purged",
        "tests/server/data/backup/test_database_backup.py::test_a_backup_holds_no_key_and_opens_nothing_once_the_epoch_s_key_is_destroyed",
    ),
    "backups": (
        "tests/server/data/backup/test_full_backup.py::test_so_many_stay_as_the_settings_say_and_none_past_its_days",
        "tests/server/data/store/test_full_restore.py::test_all_is_back_in_an_empty_place_and_what_was_deleted_or_expired_since_is_not",
        "tests/server/data/backup/test_sealed_box.py::test_a_box_is_opened_by_its_private_key_alone",
    ),
    "memory": (
        "tests/server/realtime/worker/test_memory.py::test_no_line_of_a_chat_that_is_over_is_left_where_the_program_kept_it",
        "tests/server/trust/screening/test_screening_process.py::test_no_line_is_in_a_file_a_log_or_a_core",
    ),
    "limit": ("tests/server/data/privacy/test_registry_check.py::test_what_is_said_and_shown_serves_the_chats_safety_and_the_law_alone",),
    "screening": (
        "tests/server/trust/screening/test_screening_process.py::test_no_line_is_in_a_file_a_log_or_a_core",
        "tests/server/trust/moderation/test_paused.py::test_who_spreads_an_advert_is_paused_with_a_case_and_an_appeal",
    ),
    "front.pictures": (
        "tests/server/trust/cases/test_picture_review.py::test_each_picture_that_is_looked_at_is_a_line_of_the_trail_first",
        "tests/server/trust/evidence/test_picture_evidence.py::test_what_is_kept_is_sealed_and_in_no_file_as_it_is",
    ),
    "pictures": (
        "tests/server/realtime/video/page/test_cameras.py::test_harmless_cameras_are_looked_at_and_nothing_of_them_is_kept",
        "tests/server/trust/evidence/test_picture_evidence.py::test_what_is_kept_is_sealed_and_in_no_file_as_it_is",
        "tests/server/data/retention/test_stale_cases.py::test_pictures_leave_after_three_days_where_nothing_follows_else_after_120",
    ),
    "pictures.chat": (
        "tests/server/trust/pictures/test_picture_relay.py::test_a_picture_is_given_out_after_its_check_until_the_chat_ends",
        "tests/server/site/web/test_photos.py::test_a_picture_is_asked_for_allowed_sent_and_shown_after_a_press",
    ),
    "pictures.provider": (
        "tests/server/trust/pictures/test_remote_scores.py::test_it_is_sent_the_strip_and_nothing_else",
        "tests/server/trust/pictures/test_remote_scores.py::test_it_is_sent_the_strip_and_nothing_else",
        "tests/server/data/statement/test_recipient_check.py::test_a_part_that_reaches_others_wants_a_recipient_of_its_kind",
    ),
    "screening.command": (
        "tests/server/trust/text_provider/test_provider_client.py::test_the_program_is_in_a_jail",
        "tests/server/trust/text_provider/test_provider_client.py::test_the_program_of_the_manual_finds_and_its_findings_come_as_numbers_of_low_confidence",
    ),
    "screening.provider": (
        "tests/server/trust/text_provider/test_provider_relay.py::test_it_is_sent_the_line_and_a_number_and_nothing_else",
        "tests/server/data/statement/test_recipient_check.py::test_lines_are_sent_nowhere_before_their_recipient_is_named",
    ),
    "referral": (
        "tests/server/trust/evidence/test_child_abuse_material.py::test_what_is_marked_is_kept_for_a_year_and_apart",
        "tests/server/main/commands/test_case_commands.py::test_a_package_is_made_and_nothing_is_sent_without_the_word",
    ),
    "programs": ("tests/server/trust/cases/test_report_cases.py::test_without_a_cookie_the_network_is_the_person",),
    "figures": ("tests/server/trust/publication/test_monthly_figures.py::test_a_month_shows_no_number_below_ten_and_parts_of_shown_numbers_only",),
    "usage": (
        f"{T}/data/statistics/test_chat_counts.py::test_a_thousand_chats_of_a_session_move_no_count_by_more_than_three",
        f"{T}/data/statistics/test_published_statistics.py::test_no_mean_under_ten_is_published_and_nothing_beside_it_is_hidden",
        f"{T}/data/statistics/test_chat_counts.py::test_hosts_add_up_and_no_count_holds_what_a_client_wrote",
    ),
    "change": (CHANGED, "tests/server/data/statement/test_routes.py::test_every_version_is_readable_the_coming_one_too"),
    "rights": ("tests/server/main/checks/test_local_checks.py::test_a_public_server_that_nobody_answers_for_is_an_error",),
}  # fmt: skip
# What no program can hold: each with who does. This list only shrinks.
PEOPLE = {
    "front.complain": "the law gives it",
    "complaint": "the law gives it",
    "basis": "the law gives it",
    "scope": "says for whom the others are",
    "warning": "warns, and promises nothing",
    "objection": "the operator answers letters",
    "equal": "the operator answers letters",
    "sale": "the operator hands nothing else on; no program does (canary)",
    "marketing": "the operator hands nothing else on; no program does (canary)",
}
# GDPR Art. 13 and 14, 21(4); CCPA § 1798.130, regulations § 7011: each point, and where it stands.
LAWYER: dict[str, tuple[str, ...]] = {
    "13(1)(a) controller and contact": ("A B, Street 1", "mailto:p@example.org"),
    "13(1)(a) representative": ("Rep GmbH",),
    "13(1)(b) data protection officer": ("Officer C",),
    "13(1)(c) purposes and legal basis": ("Legal basis:", 'id="basis"'),
    "13(1)(d) legitimate interests": ("legitimate interest: a service that is safe",),
    "13(1)(e) recipients": ('id="recipients"', "Hoster Ltd"),
    "13(1)(f) transfers and safeguards": ('id="transfers"', "DPA of 2026"),
    "13(2)(a) how long": ("Kept: 120 days after the end of the chat", "How long"),
    "13(2)(b) access, correction, erasure, restriction, portability": (
        "take it elsewhere",
        "corrected or deleted",
        "restricted",
    ),
    "13(2)(b), 21(4) objection": ('id="objection"',),
    "13(2)(d) complaint": ('id="complaint"', "Datatilsynet"),
    "13(2)(e) whether data must be given": ("No law or contract makes you give us anything",),
    "13(2)(f) automated decisions": ('id="automated"',),
    "12(3) by when": ("within 30 days",),
    "7011(e)(1) categories collected": ('aria-label="What is collected, by category"', "Identifiers"),
    "7011(e)(1) categories not collected": ("Biometric information</th><td>none",),
    "7011(e)(1) sources": ("From: the person",),
    "7011(e)(1) purposes": ("Why:",),
    "7011(e)(1) disclosed in the last 12 months": ('id="disclosed"', "hosting and object-store providers"),
    "7011(e)(1) disclosed for a business purpose": ('id="business"',),
    "7011(e)(1) sold or shared": ("We do not sell or share personal information",),
    "7011(e)(1) sold or shared, under 16": ("no actual knowledge of any sale",),
    "7027(m) no right to limit is needed": ('id="limit"',),
    "7011(e)(2) right to know, delete, correct": ("You may know what we hold",),
    "7011(e)(2) no discrimination": ('id="equal"',),
    "7011(e)(3) how to ask, and how it is verified": (
        "write to p@example.org",
        "the browser of your chats is the proof",
    ),
    "7011(e)(3) authorised agent": ("with your written permission",),
    "7011(e)(4) date": ("in effect since",),
    "1798.83 direct marketing": ('id="marketing"',),
    "children": ('id="adults"', "give us no personal data", 'id="parents"', "watch what your children do"),
    "other sites": ("do not endorse other sites",),
    "a claim that says too little": ("refuse a claim of theirs that says too little",),
    "cookies": ('id="cookies"', 'id="refused"'),
    "security": ('id="security"',),
    "scope": ('id="scope"',),
    "changes": ('id="change"', 'href="/privacy/changes"'),
}
DEPLOYED: dict[str, Any] = {
    "operator": {
        "name": "A B", "email": "p@example.org", "address": "Street 1", "country": "Norway",
        "officer": "Officer C", "representative": "Rep GmbH", "authority": "Datatilsynet",
    },
    "recipients": [{"name": "Hoster Ltd", "kind": "hosting", "country": "France", "contract": "DPA of 2026"}],
}  # fmt: skip
DEPLOYMENTS = {
    "as it ships": {},
    "whole": {
        **DEPLOYED,
        "mail": {"host": "m"},
        "video": {"turn": ["turn:t"]},
        "challenge": {"provider": "turnstile", "site_key": "k", "secret": "s", "origin": "https://challenge.example"},
    },
    "nothing kept": {**DEPLOYED, "store": {"enabled": False}},
}


def texts(language: str, deployment: str) -> list[dict[str, str]]:
    """The texts of a deployment."""
    found: list[dict[str, str]] = document(Settings.model_validate(DEPLOYMENTS[deployment]), language)["texts"]
    return found


@functools.cache
def pages() -> Pages:
    """The templates: read and compiled once."""
    return Pages(lambda name: f"/s/{name}")


def page(chosen: dict[str, Any], language: str = "en") -> str:
    """The page as people get it."""
    published = PublishedStatement(Settings.model_validate(chosen))
    return pages().text(
        "privacy.html", t=pages().said[language], query="", say=SAID[language], heading=REGISTRY.heading, current=True, rights=False,
        doc=published.answer(published.version, language),
    )  # fmt: skip


@pytest.mark.parametrize("language", sorted(said()))
def test_no_provider_is_said_to_hear_of_a_deletion_that_is_not_passed_on(language: str) -> None:
    ways = {"by_us": "by_us", "contract": "contract", "webhook": "untold", "mail": "untold"}
    named = [{"name": f"Provider {way}", "kind": "hosting", "deletes": way} for way in ways]
    found = page({"recipients": named}, language)
    t = pages().said[language]
    sentences = {key: t.text(f"privacy.provider.{key}") for key in set(ways.values())}
    assert len(set(sentences.values())) == 3
    for way, key in ways.items():
        (line,) = re.findall(rf"<li>Provider {way} \(.*?</li>", found, re.S)
        told = html.unescape(line)
        assert {other for other, sentence in sentences.items() if sentence in told} == {key}, way


@pytest.mark.parametrize("language", sorted(said()))
def test_a_transfer_out_of_the_union_names_its_safeguard_and_a_copy(language: str) -> None:
    t, copy = pages().said[language], "https://clauses.example/2021.pdf"
    kinds = ("", "inside", "adequacy", "clauses", "rules", "consent")
    named = [{"name": f"In {kind or 'none'}", "kind": "hosting", "safeguard": kind} for kind in kinds]
    found = html.unescape(
        page({"recipients": [*named, {**named[3], "name": "Linked", "safeguard_link": copy}]}, language)
    )
    lines = {kind: re.findall(rf"<li>In {kind or 'none'} \(.*?</li>", found, re.S)[0] for kind in kinds}
    for kind, line in lines.items():
        told = {other for other in kinds[2:] if t.text(f"privacy.safeguard.{other}") in line}
        assert told == {kind} - {"", "inside"}
        assert (t.text("privacy.safeguard.ask") in line) == (kind in ("adequacy", "clauses", "rules"))
    (linked,) = re.findall(r"<li>Linked \(.*?</li>", found, re.S)
    assert f'href="{copy}"' in linked
    assert t.text("privacy.safeguard.ask") not in linked


def test_each_text_has_its_check_or_somebody_who_keeps_it() -> None:
    keys = {text.key for text in REGISTRY.texts}
    assert keys - set(CHECKS) - set(PEOPLE) == set(), "name the test that fails where this promise is broken"
    assert (set(CHECKS) | set(PEOPLE)) - keys == set(), "there is no such text any more"
    assert not set(CHECKS) & set(PEOPLE)


@pytest.mark.parametrize("check", sorted({check for checks in CHECKS.values() for check in checks}))
def test_the_check_of_a_promise_is_there(check: str) -> None:
    file, _, name = check.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.M), check


@pytest.mark.parametrize("language", sorted(said()))
@pytest.mark.parametrize("deployment", sorted(DEPLOYMENTS))
def test_no_sentence_has_more_than_twenty_words(language: str, deployment: str) -> None:
    long = [
        sentence
        for text in texts(language, deployment)
        for sentence in re.split(r"(?<=[.!?:])\s+", text["body"])
        if len(sentence.split()) > 20
    ]
    assert long == []


@pytest.mark.parametrize("language", sorted(said()))
@pytest.mark.parametrize("deployment", sorted(DEPLOYMENTS))
def test_the_first_page_has_four_hundred_words_at_most_and_answers_six_questions(
    language: str, deployment: str
) -> None:
    front = [text for text in texts(language, deployment) if text["key"].startswith("front.")]
    assert len(" ".join(f"{text['title']} {text['body']}" for text in front).split()) <= 400
    asked = {text["key"].split(".")[1] for text in front}
    assert asked >= {"who", "what", "why", "given", "long", "you", "complain"}


@pytest.mark.parametrize(("point", "found"), LAWYER.items(), ids=LAWYER)
def test_a_lawyer_finds_each_point(point: str, found: tuple[str, ...]) -> None:
    text = page(DEPLOYED)
    missing = [words for words in found if words not in text]
    assert missing == [], point


@pytest.mark.parametrize("language", sorted(said()))
def test_the_first_page_stands_before_the_table_which_is_folded(language: str) -> None:
    text = page(DEPLOYED, language)
    assert text.index('id="short"') < text.index("<table>") < text.index("<details>") < text.index('id="item-identity"')
    assert text.index('id="item-identity"') < text.index("</details>")
    assert "<details open" not in text
