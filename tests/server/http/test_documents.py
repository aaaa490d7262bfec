"""The machine-readable documents are those of the code, and are served."""

import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from server.http.documents import DOCUMENTS, FOLDER, written
from tests.server.web.servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_what_is_committed_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == written(name), "run: python -m server.http.documents"


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_it_is_served(server: Server, name: str) -> None:
    with urlopen(f"{server.url}api/{name}") as answer:  # noqa: S310
        assert answer.headers["Content-Type"].startswith("application/json")
        assert json.load(answer) == json.loads(written(name))
