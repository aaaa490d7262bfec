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


def ask(
    server: Server, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    """One request on a connection of its own: the answer and its body."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    return answer, found


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
    answer, body = ask(server, "POST", f"/api/{path}", "{}")
    found = json.loads(body)
    described = openapi.document()["paths"][f"/api/{path}"]["post"]["responses"]["404"]["content"]
    assert (answer.status, [answer.headers["Content-Type"].partition(";")[0]]) == (404, list(described))
    jsonschema_rs.validate(openapi.ERROR, found)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_page_of_a_mail_is_not_there_where_college_mode_is_off(server: Server, method: str) -> None:
    assert ask(server, method, "/college/x")[0].status == 404
    assert "404" in openapi.document()["paths"]["/college/{link}"][method.lower()]["responses"]


GETS = [
    route.path.format(**route.path_fields)
    for route in openapi.ROUTES
    if route.method == "GET" and (200 in route.answers) and "{name}" not in route.path
]


@pytest.mark.parametrize("path", GETS)
def test_an_answer_with_a_validator_is_described_as_one_that_may_not_have_changed(server: Server, path: str) -> None:
    first, _ = ask(server, "GET", path)
    described = next(
        route for route in openapi.ROUTES if (route.method, route.path.format(**route.path_fields)) == ("GET", path)
    )
    if first.status == 200:
        assert ("ETag" in first.headers) is (304 in described.answers)
    if "ETag" in first.headers:
        assert ask(server, "GET", path, None, {"If-None-Match": first.headers["ETag"]})[0].status == 304


def test_each_field_of_the_configuration_is_described_here_and_in_the_protocol(server: Server) -> None:
    told = openapi.CONFIG["properties"]
    assert [name for name, schema in told.items() if not schema.get("description")] == []
    rows = (FOLDER / "protocol.md").read_text().splitlines()
    row = next(line for line in rows if line.startswith("| `GET /api/config` |"))
    assert [name for name in told if f"`{name}`" not in row] == []
    assert set(json.loads(ask(server, "GET", "/api/config")[1])) <= set(told)


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
