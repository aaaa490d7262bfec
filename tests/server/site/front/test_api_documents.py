"""The machine-readable documents are those of the code, and are served."""

import gzip
import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.request import urlopen

import jsonschema_rs
import pytest

from server.site.front import openapi
from server.site.front.api_documents import DOCUMENTS, FOLDER, written
from tests.server.site.web.servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_what_is_committed_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == written(name), "run: python -m server.site.front.api_documents"


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_it_is_served(server: Server, name: str) -> None:
    with urlopen(f"{server.url}api/{name}") as answer:  # noqa: S310
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.read().decode() == written(name)


@pytest.mark.parametrize("path", ["translate", "college/mail", "college/code", "college/claim"])
def test_what_is_off_is_not_there_and_says_so_as_described(server: Server, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", f"/api/{path}", "{}")
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    described = openapi.document()["paths"][f"/api/{path}"]["post"]["responses"]["404"]["content"]
    assert (answer.status, [answer.headers["Content-Type"].partition(";")[0]]) == (404, list(described))
    jsonschema_rs.validate(openapi.ERROR, found)


@pytest.mark.parametrize("path", ["api/openapi.json", "api/asyncapi.json", "api/privacy", "about", "privacy"])
def test_what_is_large_is_compressed_and_asked_for_once(server: Server, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)

    def ask(**headers: str) -> tuple[HTTPResponse, bytes]:
        connection.request("GET", f"/{path}", headers={"Accept-Encoding": "gzip"} | headers)
        answer = connection.getresponse()
        return answer, answer.read()

    first, body = ask()
    assert (first.status, first.headers["Content-Encoding"]) == (200, "gzip")
    assert len(body) < len(gzip.decompress(body)) / 2
    again, nothing = ask(**{"If-None-Match": first.headers["ETag"]})
    assert (again.status, nothing) == (304, b"")
    connection.close()
