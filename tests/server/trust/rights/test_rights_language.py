"""In which language these pages come."""

import pytest
from aiohttp.test_utils import make_mocked_request

from server.http.words.sentences import said
from server.trust.rights.rights_language import language


@pytest.mark.parametrize(
    ("path", "header", "name", "query"),
    [
        ("/", "", "en", ""),
        ("/", "de-AT,de;q=0.9", "de", ""),
        ("/", "xx,de;q=0.5", "de", ""),
        ("/", "no", "nb", ""),
        ("/?lang=de", "en", "de", "?lang=de"),
        ("/?lang=../en", "de", "de", ""),
        ("/?lang=xx", "xx", "en", ""),
    ],
)
def test_what_somebody_chose_goes_first_and_stays(path: str, header: str, name: str, query: str) -> None:
    found = language(make_mocked_request("GET", path, headers={"Accept-Language": header}))
    assert (found.t, found.query) == (said()[name], query)
