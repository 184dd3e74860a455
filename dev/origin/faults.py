"""Decides how an answer is spoilt while a fault is switched on.

Some faults change the rows before they are paged and some the finished answer. The others decide
the status (`status`) or how the answer travels (`delay`, `hang`, `reset`, `reset_mid_body`,
`truncate`, `cut`, `slow_drip`, `drip_headers`, `early_hints`), which is not this module's business.

Pure: rows and answers in, rows and answers out.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from copy import replace
from dataclasses import dataclass
from hashlib import shake_256
from http import HTTPStatus
from json import dumps, loads
from typing import Any, Literal, get_args

from dev.origin.answers import Answer, json_answer
from dev.origin.users import User

type Kind = Literal[
    "delay",
    "hang",
    "reset",
    "reset_mid_body",
    "truncate",
    "cut",
    "slow_drip",
    "drip_headers",
    "early_hints",
    "bad_header",
    "html",
    "challenge",
    "redirect",
    "oversize",
    "status",
    "status_error_200",
    "wrong_shape",
    "duplicate_ids",
    "unordered_ids",
    "empty_list",
    "lose_third",
    "huge_metadata",
    "huge_text",
    "deep_metadata",
    "metadata_absent",
    "metadata_text",
    "extra_field",
]
type Shape = Literal["null", "other_container", "no_data", "array", "null_row", "no_id", "text_id"]

_KINDS = get_args(Kind.__value__)
_SHAPES = get_args(Shape.__value__)
_OVERSIZE_BYTES = 17 * 1024 * 1024
_HUGE_METADATA = {f"key-{number:02}".ljust(40, "x"): "x" * 500 for number in range(50)}
# What is drawn from a digest does not compress below the three quarters that base64 leaves of it.
_HUGE_TEXT = b64encode(shake_256(b"text").digest(450_000)).decode()
_DEEP_METADATA = loads('{"in":' * 3_000 + "0" + "}" * 3_000)
_FIELDS: dict[str, User] = {
    "huge_metadata": {"metadata": _HUGE_METADATA},
    "huge_text": {"bio": _HUGE_TEXT},
    "deep_metadata": {"metadata": _DEEP_METADATA},
    "extra_field": {"neverSeenBefore": "extra"},
}
_PAGE = b"<!DOCTYPE html><html><head><title>%d</title></head><body><h1>Error %d</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with each call whose target contains ``match``.

    ``times`` limits it to the next calls that match. ``seconds`` is the length of a ``delay``, and
    of the pause between two bytes of a ``slow_drip`` or of ``drip_headers``. ``status`` belongs to
    ``status`` (500 unless given), ``html`` (502) and ``redirect`` (302), ``location`` to
    ``redirect``, ``shape`` to ``wrong_shape``. A ``status`` of 429 blocks the caller's bucket, as
    going over the limit does. ``retry_after`` is a header of whatever is answered. ``user_id`` is
    whose row alone is spoilt, if not everybody's. A ``cut`` ends an answer after ``most_bytes``.
    """

    kind: Kind
    times: int | None = None
    seconds: float = 0.01
    status: int | None = None
    match: str = ""
    shape: Shape = "null"
    location: str = "https://elsewhere.example/"
    retry_after: str | None = None
    user_id: int | None = None
    most_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"unknown kind {self.kind!r}; one of {', '.join(_KINDS)}")
        if self.shape not in _SHAPES:
            raise ValueError(f"unknown shape {self.shape!r}; one of {', '.join(_SHAPES)}")


def take(faults: Iterable[Fault], target: str) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Return the faults that hit a call, and those left for the calls after it."""
    hit: list[Fault] = []
    left: list[Fault] = []
    for fault in faults:
        if fault.match not in target:
            left.append(fault)
            continue
        hit.append(fault)
        if fault.times is None:
            left.append(fault)
        elif fault.times > 1:
            left.append(replace(fault, times=fault.times - 1))
    return tuple(hit), tuple(left)


def is_silent(faults: Iterable[Fault]) -> bool:
    """Return whether the caller never sees a status."""
    return any(fault.kind in ("hang", "reset") for fault in faults)


def spoil_rows(rows: Sequence[User], fault: Fault) -> list[User]:
    """Return the rows of a list as this fault shows them.

    Which third is lost depends on the ids alone, so every page and every filter misses the same
    users, while each of them is still found by its id.
    """
    match fault.kind:
        case "empty_list":
            return []
        case "lose_third":
            return [row for row in rows if row["id"] % 3]
        case "unordered_ids":
            return list(reversed(rows))
        case "duplicate_ids":
            return [*rows[:1], *rows]
        case _:
            return [spoil_row(row, fault) for row in rows]


def spoil_row(row: User, fault: Fault) -> User:
    """Return one user as this fault shows it."""
    match fault.kind:
        case _ if fault.user_id not in {None, row["id"]}:
            return row
        case "metadata_absent":
            return {name: value for name, value in row.items() if name != "metadata"}
        case "metadata_text" if row.get("metadata") is not None:
            return row | {"metadata": dumps(row["metadata"])}
        case _:
            return row | _FIELDS.get(fault.kind, {})


def spoil_answer(answer: Answer, fault: Fault) -> Answer:
    """Return the finished answer as this fault shows it; a refusal has no rows to misplace."""
    spoilt = _spoilt(answer, fault)
    if fault.retry_after is None:
        return spoilt
    return replace(spoilt, headers={**spoilt.headers, "Retry-After": fault.retry_after})


def _spoilt(answer: Answer, fault: Fault) -> Answer:
    match fault.kind:
        case "html" | "challenge":
            return _page(fault)
        case "redirect":
            return Answer(status=fault.status or 302, headers={"Location": fault.location})
        case "bad_header":
            return replace(answer, headers={**answer.headers, "X Malformed": ""})
        case "oversize":
            # Padding that JSON allows, so only a reader that counts bytes refuses it.
            return replace(answer, body=answer.body + b" " * _OVERSIZE_BYTES)
        case "status_error_200" | "wrong_shape" if answer.status == HTTPStatus.OK:
            payload = _misshape(loads(answer.body), fault)
            return json_answer(HTTPStatus.OK, payload, answer.headers)
        case _:
            return answer


def _page(fault: Fault) -> Answer:
    """Return what the edge in front of the origin answers by itself."""
    headers, status = {"Content-Type": "text/html; charset=UTF-8"}, fault.status or 502
    if fault.kind == "challenge":
        headers["cf-mitigated"], status = "challenge", 403
    return Answer(status=status, body=_PAGE % (status, status), headers=headers)


def _misshape(payload: dict[str, Any], fault: Fault) -> object:
    if fault.kind == "status_error_200":
        # The rows stay in place, so a reader that looks at them alone takes them for good.
        return payload | {"status": "error"}
    data = payload["data"]
    listed = isinstance(data, list)
    rows: list[User] = data if listed else [data]
    match fault.shape:
        case "no_data":
            return {"status": "success"}
        case "array":
            return rows
        case "null":
            return payload | {"data": None}
        case "other_container":
            return payload | {"data": {"users": rows} if listed else rows}
        case "null_row" | "no_id" | "text_id" as shape:
            spoilt = [*map(_ROW_SHAPES[shape], rows[:1]), *rows[1:]]
            return payload | {"data": spoilt if listed else spoilt[0]}


_ROW_SHAPES: dict[str, Callable[[User], Any]] = {
    "null_row": lambda _row: None,
    "no_id": lambda row: {name: row[name] for name in row if name != "id"},
    "text_id": lambda row: row | {"id": str(row["id"])},
}
