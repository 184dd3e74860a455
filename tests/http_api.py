"""What an HTTP API of API Gateway sends to a function and makes of its answer (payload 1.0)."""

import base64
import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from requests.structures import CaseInsensitiveDict

type Json = Any  # Events and bodies are free-form.


def as_http_api(event: Json) -> Json:
    """Return a REST API's ``event`` as an HTTP API sends it: with a version, and the whole path."""
    context = event["requestContext"]
    route = f"ANY {event['resource']}"
    return {
        "version": "1.0",
        **event,
        "path": context["path"],
        "requestContext": context | {"resourceId": route},
    }


@dataclass(frozen=True)
class Received:
    """A function's result as its caller gets it: base64 is undone, nothing else is."""

    result: Json

    @property
    def status(self) -> int:
        status: int = self.result["statusCode"]
        return status

    @cached_property
    def headers(self) -> CaseInsensitiveDict[str]:
        return CaseInsensitiveDict(self.result["headers"])

    @cached_property
    def content(self) -> bytes:
        text = self.result["body"].encode()
        return base64.b64decode(text) if self.result["isBase64Encoded"] else text

    @cached_property
    def text(self) -> str:
        coded = self.headers.get("Content-Encoding") == "gzip" and self.content
        return (gzip.decompress(self.content) if coded else self.content).decode()

    @property
    def body(self) -> Json:
        return json.loads(self.text)
