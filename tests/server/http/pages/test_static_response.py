"""A body is compressed for whoever takes that, and each encoding has a validator of its own."""

import gzip

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.http.pages.static_response import File, takes_gzip

BODY = b"All work and no play makes Jack a dull boy.\n" * 50


def answered(file: File, **headers: str) -> web.Response:
    """The answer to a GET with these headers (`Accept_Encoding` is `Accept-Encoding`)."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return file.answer(make_mocked_request("GET", "/", headers=given), "no-cache", "Accept-Language")


def test_each_encoding_has_its_own_strong_validator() -> None:
    file = File.of("page.html", BODY)
    plain, packed = answered(file), answered(file, Accept_Encoding="br, gzip")
    assert (plain.body, packed.body) == (BODY, gzip.compress(BODY, 9, mtime=0))
    assert packed.headers["Content-Encoding"] == "gzip"
    tags = plain.headers["ETag"], packed.headers["ETag"]
    assert len(set(tags)) == 2
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)
    for one in (plain, packed):
        assert one.headers["Vary"] == "Accept-Encoding, Accept-Language"


def test_who_has_the_body_in_this_encoding_gets_304_and_who_has_the_other_one_does_not() -> None:
    file = File.of("page.html", BODY)
    plain, packed = (answered(file, **headers).headers["ETag"] for headers in ({}, {"Accept_Encoding": "gzip"}))
    assert answered(file, If_None_Match=plain).status == 304
    assert answered(file, If_None_Match=f"W/{packed}", Accept_Encoding="gzip").status == 304  # a proxy made it weak
    assert answered(file, If_None_Match=packed).status == 200
    assert answered(file, If_None_Match=plain, Accept_Encoding="gzip").status == 200


def test_what_is_compressed_already_has_one_validator() -> None:
    file = File.of("icon.png", BODY)
    packed = answered(file, Accept_Encoding="gzip")
    assert "Content-Encoding" not in packed.headers
    assert packed.headers["ETag"] == answered(file).headers["ETag"]


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("br;q=1, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00, br", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_taken_by_who_names_it(header: str, takes: bool) -> None:
    assert takes_gzip(make_mocked_request("GET", "/", headers={"Accept-Encoding": header})) is takes
