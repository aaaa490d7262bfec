"""A POST is taken from a page of ours and from a program, never from another site, whatever its headers hold."""

import pytest
from aiohttp.test_utils import make_mocked_request

from server.http.request.same_origin import from_own_page

HOST = "chat.example:8443"


def asked(*, takes_null: bool = True, **headers: str) -> bool:
    """The verdict about a POST with these headers (`Sec_Fetch_Site` is `Sec-Fetch-Site`)."""
    given = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    return from_own_page(make_mocked_request("POST", "/", headers=given), takes_null=takes_null)


def test_a_form_of_our_documents_has_no_origin_but_the_browser_says_where_it_is_from() -> None:
    assert asked(Origin="null", Sec_Fetch_Site="same-origin")
    assert not asked(Origin="null", Sec_Fetch_Site="cross-site")


def test_where_documents_send_their_origin_none_is_another_page() -> None:
    assert not asked(Origin="null", takes_null=False)
    assert not asked(Origin="null", Sec_Fetch_Site="same-origin", takes_null=False)
    assert asked(Origin=f"https://{HOST}", takes_null=False)
    assert asked(takes_null=False)


def test_a_program_sends_neither_header() -> None:
    assert asked()


@pytest.mark.parametrize("origin", [f"https://{HOST}", f"http://{HOST}", "https://Chat.Example:8443"])
def test_our_own_origin_is_ours(origin: str) -> None:
    assert asked(Origin=origin)
    assert asked(Origin=origin, Sec_Fetch_Site="same-origin")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://[", "", "://", "https://chat.example", f"https://{HOST}.evil.example", HOST],
)
def test_another_origin_and_what_is_none_is_not_ours(origin: str) -> None:
    assert not asked(Origin=origin)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "x"])
def test_the_word_of_the_browser_stands_above_an_origin(site: str) -> None:
    assert not asked(Origin=f"https://{HOST}", Sec_Fetch_Site=site)
    assert not asked(Sec_Fetch_Site=site)
