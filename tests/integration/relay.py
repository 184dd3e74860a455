"""A relay in front of the embedded AWS: it counts, holds or refuses what passes."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, override
from urllib.parse import urlsplit

from dev.local import relay
from dev.local.relay import Answer, Json
from tests.patience import PATIENCE_SECONDS

_READS = ("Get", "BatchGet")


@dataclass(frozen=True)
class Hold:
    """A call that is held: ``reached`` when it has come, until it is ``released`` or dropped."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)

    def drop(self) -> None:
        """Let the call get no further."""
        self.dropped.set()
        self.released.set()


class Relay(relay.Relay):
    """Passes AWS calls on to ``upstream``, or hangs up; after ``stop`` connections are refused."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.calls: list[tuple[str, Any]] = []
        self.hangs_up = False
        self.answers_to_writes_to_lose = 0
        self.error: tuple[int, str] | None = None
        self._refusals: dict[str, list[Json]] = {}
        self._holds: dict[tuple[str, str], Hold] = {}
        self.answer_events: Callable[[list[Json]], Json] | None = None

    def point_at(self, upstream: str) -> None:
        """Pass calls on to ``upstream`` from now on."""
        self.upstream = urlsplit(upstream).netloc

    @property
    def writes(self) -> list[tuple[str, Any]]:
        """The operations that wrote, each with its parameters."""
        return [call for call in self.calls if not call[0].startswith(_READS)]

    def refuse_events(self, refuse: Callable[[Json], bool], *, put: Callable[..., Json]) -> None:
        """Refuse entries of PutEvents as a busy bus does.

        ``put`` takes the others to the bus: what was signed covers all of them, so that it cannot
        be passed on in part.
        """

        def answer(entries: list[Json]) -> Json:
            refused = [refuse(entry) for entry in entries]
            taken = [entry for entry, no in zip(entries, refused, strict=True) if not no]
            results = iter(put(Entries=taken)["Entries"] if taken else ())
            failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
            told = [failed if no else next(results) for no in refused]
            return {"FailedEntryCount": sum(refused), "Entries": told}

        self.answer_events = answer

    def refuse(self, operation: str, code: str, *, times: int = 1, **details: Json) -> None:
        """Refuse the next calls of ``operation`` with ``code``, ``details`` being its members."""
        body = {"__type": f"aws#{code}", "message": code, **details}
        self._refusals.setdefault(operation, []).extend([body] * times)

    def refusal(self, operation: str) -> Json:
        """Return what this call of ``operation`` is refused with, None if it is passed on."""
        waiting = self._refusals.get(operation)
        return waiting.pop(0) if waiting else None

    def hold(self, operation: str, when: str) -> "Hold":
        """Hold the next call of ``operation`` "before" it is passed on, or "after" it was done."""
        held = self._holds[operation, when] = Hold()
        return held

    def step(self, operation: str, when: str) -> bool:
        """Hold a call if that was asked for; tell whether it goes on."""
        held = self._holds.pop((operation, when), None)
        if held:
            held.reached.set()
            held.released.wait(PATIENCE_SECONDS)
        return held is None or not held.dropped.is_set()

    @override
    def answer(self, operation: str, asked: Json, pass_on: Callable[[], Answer]) -> Answer | None:
        self.calls.append((operation, asked))
        if not self.step(operation, "before") or self.hangs_up:
            return None
        if self.error:
            status, code = self.error
            return status, json.dumps({"__type": f"aws#{code}", "message": code}).encode(), ()
        if refusal := self.refusal(operation):
            return 400, json.dumps(refusal).encode(), ()
        if operation == "PutEvents" and self.answer_events:
            return 200, json.dumps(self.answer_events(asked["Entries"])).encode(), ()
        answer = pass_on()
        self.step(operation, "after")
        if self.answers_to_writes_to_lose and not operation.startswith(_READS):
            self.answers_to_writes_to_lose -= 1
            return None
        return answer
