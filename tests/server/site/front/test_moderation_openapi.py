"""The description of the moderation API is whole; the console's own tests hold its answers against it."""

import json
import re

from server.site.front.api_documents import DOCUMENTS
from server.site.front.moderation_openapi import PREFIX, ROUTES, SERVERS, TOKEN


def test_each_operation_has_a_name_of_its_own_a_scope_and_the_tokens_scheme() -> None:
    made = DOCUMENTS["openapi.json"]()
    everything = [one for path in made["paths"].values() for name, one in path.items() if name != "servers"]
    ids = [one["operationId"] for one in everything]
    assert len(set(ids)) == len(ids)
    mine = {path: methods for path, methods in made["paths"].items() if path.startswith(PREFIX)}
    operations = [one for methods in mine.values() for name, one in methods.items() if name != "servers"]
    assert len(operations) == len(ROUTES)
    assert all(methods["servers"] == SERVERS for methods in mine.values()), "they are not on the public port"
    for one in operations:
        assert one["security"] == [{TOKEN: []}]
        assert re.search(r"\(scope (read|act|stream)\)", one["summary"])
        assert {"401", "403", "503"} <= set(one["responses"])


def test_every_name_that_is_referred_to_is_there() -> None:
    made = DOCUMENTS["openapi.json"]()
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(made)))
    assert used <= set(made["components"]["schemas"])
