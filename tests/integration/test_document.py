"""The description of the interface is one of its answers."""

import json

from dev import ROOT
from tests.integration.service import Service

PATH = "/v2/openapi.json"


def test_the_document_is_the_one_that_is_kept(service: Service) -> None:
    answer, head = service.get(PATH), service.send("HEAD", PATH)

    kept = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert (answer.status, answer.body) == (200, json.loads(kept))
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    assert (head.status, head.response.body) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]


def test_who_has_the_document_is_told_so(service: Service) -> None:
    etag = service.get(PATH).headers["ETag"]

    same, other = (service.get(PATH, {"If-None-Match": tag}) for tag in (etag, '"other"'))

    assert (same.status, same.response.body, same.headers["ETag"]) == (304, b"", etag)
    assert other.status == 200


def test_the_document_takes_no_parameters_and_no_other_method(service: Service) -> None:
    filtered, posted = service.get(f"{PATH}?limit=1"), service.send("POST", PATH)

    assert (filtered.status, filtered.error["details"]["parameter"]) == (400, "limit")
    assert (posted.status, posted.headers["Allow"]) == (405, "GET, HEAD")


def test_the_document_needs_neither_a_client_nor_the_origin(service: Service) -> None:
    service.get(PATH)

    assert service.origin.calls == []
