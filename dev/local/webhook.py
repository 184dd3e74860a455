"""Posts change events to a URL, as the rule and the API destination of ``template.yaml`` would.

A rule on the bus puts each event into a queue, and this module takes it from there: the embedded
AWS has API destinations too, but tries each delivery only once. The rule's pattern and input, the
headers and the name of the key's header are the template's. An event that the receiver does not
take comes back later and later, some times, while others pass it by.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.exceptions import BotoCoreError, ClientError

from dev.local.embedded_aws import EmbeddedAws
from dev.template.literals import resource

_NAME = "webhook"
_TRIES = 6
_TIMEOUT_SECONDS = 5
# What EventBridge tries again; any other answer but 2xx is the receiver's last word.
_RETRIED = frozenset({401, 407, 409, 429})
_SERVER_ERROR = 500
# A receiver on this machine is not reached through a proxy.
_DIRECT = {"no_proxy": "127.0.0.1,localhost"}

type Json = Any  # Events are free-form.


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are posted to, and the key by which the receiver knows the sender."""

    url: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        """What of the URL may be printed: the rest can hold a token."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"


class WebhookDelivery:
    """Posts every event on ``bus`` to ``webhook`` from :meth:`start` until :meth:`stop`."""

    def __init__(
        self, aws: EmbeddedAws, *, bus: str, webhook: Webhook, print_line: Callable[[str], None]
    ) -> None:
        self._aws = aws
        self._bus = bus
        self._webhook = webhook
        self._print_line = print_line
        self._queues: Any = aws.client("sqs")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="webhook")

    def start(self) -> None:
        """Make the rule and its queue, then begin to post."""
        self._queues.create_queue(QueueName=_NAME)
        rule = resource("AWS::Events::Rule")
        (target,) = rule["Targets"]
        queue = f"arn:aws:sqs:{self._aws.region}:000000000000:{_NAME}"
        named = {"EventBusName": self._bus}
        events: Any = self._aws.client("events")
        events.put_rule(Name=_NAME, EventPattern=json.dumps(rule["EventPattern"]), **named)
        targets = [{"Id": target["Id"], "Arn": queue, "InputPath": target["InputPath"]}]
        events.put_targets(Rule=_NAME, Targets=targets, **named)
        self._thread.start()

    def stop(self) -> None:
        """Post nothing more; a request under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        with requests.Session() as session:
            session.headers.update(_headers(self._webhook))
            while not self._stopped.is_set():
                try:
                    self._deliver_next(session)
                except (BotoCoreError, ClientError) as error:
                    if not self._stopped.is_set():
                        self._print_line(f"webhook: no queue: {type(error).__name__}")
                        self._stopped.wait(1)

    def _deliver_next(self, session: requests.Session) -> None:
        """Wait up to a second for an event, and post it."""
        queue = f"{self._aws.endpoint}/000000000000/{_NAME}"
        received = self._queues.receive_message(
            QueueUrl=queue,
            WaitTimeSeconds=1,
            VisibilityTimeout=_TIMEOUT_SECONDS * 4,
            AttributeNames=["ApproximateReceiveCount"],
        )
        for message in received.get("Messages", []):
            tries = int(message["Attributes"]["ApproximateReceiveCount"])
            status = _post(session, self._webhook.url, message["Body"])
            self._report(json.loads(message["Body"]), status, tries)
            named = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
            if _is_final(status) or tries >= _TRIES:
                self._queues.delete_message(**named)
            else:
                pause = 2 ** (tries - 1)
                self._queues.change_message_visibility(VisibilityTimeout=pause, **named)

    def _report(self, event: Json, status: int | None, tries: int) -> None:
        kind = event["type"].removesuffix(".v1").partition(".")[2]
        given_up = tries >= _TRIES and not _is_final(status)
        words = ["webhook", kind, event.get("subject", ""), str(status or "no answer")]
        words.append("given up" if given_up else "")
        self._print_line(" ".join(filter(None, words)))


def remove_webhook(aws: EmbeddedAws, *, bus: str) -> None:
    """Remove what an earlier run with the same state directory may have left."""
    events: Any = aws.client("events")
    named = {"EventBusName": bus}
    for rule in events.list_rules(NamePrefix=_NAME, **named)["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"], **named)["Targets"]
        events.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets], **named)
        events.delete_rule(Name=rule["Name"], **named)
        queues: Any = aws.client("sqs")
        queues.delete_queue(QueueUrl=f"{aws.endpoint}/000000000000/{_NAME}")


def _headers(webhook: Webhook) -> dict[str, str]:
    (target,) = resource("AWS::Events::Rule")["Targets"]
    authorization = resource("AWS::Events::Connection")["AuthParameters"]["ApiKeyAuthParameters"]
    return {
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        **target["HttpParameters"]["HeaderParameters"],
        authorization["ApiKeyName"]: webhook.key,
    }


def _post(session: requests.Session, url: str, body: str) -> int | None:
    """Return the receiver's status, None if there was no answer in time."""
    try:
        answer = session.post(
            url,
            data=body.encode(),
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
            proxies=_DIRECT,
        )
    except requests.RequestException:
        return None
    return answer.status_code


def _is_final(status: int | None) -> bool:
    return status is not None and status not in _RETRIED and status < _SERVER_ERROR
