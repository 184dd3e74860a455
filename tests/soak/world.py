"""What goes on around the service: users come, change and go; things break; processes die."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from typing import TYPE_CHECKING, override

from dev.local.settings import (
    API_HANDLER,
    CHANGES_HANDLER,
    REFRESH_HANDLER,
    SECRET_NAME,
    TABLE_NAME,
)
from dev.origin import Fault
from tests.soak.history import HIDDEN_KEY, WRONG_BY_SECONDS
from tests.soak.record import Record, RecordedOrigin

if TYPE_CHECKING:
    from dev.local.stack import LocalStack
    from tests.integration.relay import Relay

_FUNCTIONS = {"api": API_HANDLER, "refresh": REFRESH_HANDLER, "changes": CHANGES_HANDLER}
_ONE_CLIENT_SHARE = 0.8
_ZONES = ("Europe/London", "Europe/Berlin", "Asia/Tokyo", "America/New_York")
_PLANS = ("free", "pro", "enterprise")
_ORIGIN_FAULTS = (
    Fault("delay", seconds=0.4),
    Fault("hang", times=2),
    Fault("reset"),
    Fault("reset_mid_body"),
    Fault("truncate"),
    Fault("slow_drip", seconds=0.05, times=2),
    Fault("drip_headers", seconds=0.05, times=2),
    Fault("html"),
    Fault("html", status=200),
    Fault("redirect"),
    Fault("oversize", times=1),
    Fault("status", status=500),
    Fault("status", status=503),
    Fault("status", status=401),
    Fault("status", status=403),
    Fault("status", status=429, times=1),
    Fault("status_error_200"),
    *(Fault("wrong_shape", shape=shape) for shape in ("null", "no_data", "null_row", "text_id")),
    Fault("duplicate_ids"),
    Fault("unordered_ids"),
    # Who asks for somebody and is told that there is nobody has to believe it.
    Fault("empty_list", match="offset="),
    Fault("lose_third", match="offset="),
    *(
        replace(fault, match="/organizations/")
        for fault in (
            Fault("delay", seconds=0.4),
            Fault("reset_mid_body"),
            Fault("status", status=403),
            Fault("status", status=404),
            Fault("status", status=503),
            Fault("empty_list"),
            Fault("lose_third"),
            Fault("metadata_absent"),
        )
    ),
)
_SHARE_PURGED = 3
_CROWD = 20
_LEAST_SHARE, _MOST_SHARE = 0.7, 1.05
"""Of how many users there were at first: who fits into the origin's window goes on doing so."""
_AWS_ERRORS = (
    None,
    (400, "ProvisionedThroughputExceededException"),
    (400, "ThrottlingException"),
    (500, "InternalServerError"),
)

ORGANIZED, ORGANIZATION = "clsoakteam0000000000000004", 4711
"""A client of whose organization the secret tells, and that organization."""

type Deed = Callable[[], None]


def secret_of(keys: Mapping[str, str]) -> dict[str, object]:
    """Return what the secret holds for these clients' keys."""
    organized: dict[str, object] = {}
    if key := keys.get(ORGANIZED):
        organized[ORGANIZED] = {"key": key, "organizationId": ORGANIZATION}
    return {**keys, **organized}


def lose_listing(stack: "LocalStack") -> None:
    """Delete what is known of the organization's list."""
    key = {"pk": {"S": f"client#{ORGANIZED}"}, "sk": {"S": "listing"}}
    stack.aws.client("dynamodb").delete_item(TableName=TABLE_NAME, Key=key)


class Actor:
    """Somebody who does something again and again, in a thread, until told to stop."""

    def __init__(self, seed: int, *, pause_seconds: tuple[float, float]) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - what happens next is no secret.
        self._pause_seconds = pause_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failures: list[str] = []

    def act(self) -> None:
        """Do one thing."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than one may go on."""
        self._stopped.wait(seconds)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being done, and stop."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self.draw.uniform(*self._pause_seconds)):
            try:
                self.act()
            except Exception as error:  # noqa: BLE001 - it is told at the end, and counts.
                self.failures.append(f"{type(self).__name__}: {error!r}")
                return


class Writer(Actor):
    """Writes at the origin: creates, changes and deletes users of all clients."""

    def __init__(self, origin: RecordedOrigin, clients: Sequence[str], seed: int) -> None:
        super().__init__(seed, pause_seconds=(0.05, 0.5))
        self._origin = origin
        self._clients = clients
        self._at_first = {client_id: len(origin.users(client_id)) for client_id in clients}

    @override
    def act(self) -> None:
        client_id = self.draw.choice(self._clients)
        ids = [row["id"] for row in self._origin.users(client_id)]
        deeds = ["create", "delete", "update", "purge", "crowd"]
        (deed,) = self.draw.choices(deeds, [20, 20, 120, 1, 2])
        share = len(ids) / self._at_first[client_id]
        if deed in {"delete", "purge"} and share < _LEAST_SHARE:
            deed = "crowd"
        elif deed in {"create", "crowd"} and share > _MOST_SHARE:
            deed = "delete"
        match deed:
            case "purge":
                # Users go on leaving, and others sign up, while this loss is doubted.
                self._origin.purge(client_id, self.draw.sample(ids, len(ids) // _SHARE_PURGED))
            case "crowd":
                for _ in range(_CROWD):
                    self._origin.create(client_id)
            case "create":
                self._origin.create(client_id)
            case "delete":
                self._origin.delete(client_id, self.draw.choice(ids))
            case _:
                self._origin.update(client_id, self.draw.choice(ids), **self._change())

    def _change(self) -> dict[str, object]:
        number = self.draw.randrange(10**6)
        return self.draw.choice(
            [
                {"name": f"Renamed {number}"},
                {"timeZone": self.draw.choice(_ZONES)},
                {"metadata": {"plan": self.draw.choice(_PLANS), "seat": number}},
                {"email": f"moved-{number}@example.org"},
            ]
        )


class Killer(Actor):
    """Ends processes of the service, as a crash does."""

    def __init__(self, stack: "LocalStack", record: Record, seed: int) -> None:
        super().__init__(seed, pause_seconds=(2, 12))
        self._stack = stack
        self._record = record
        self.killed: Counter[str] = Counter()

    @override
    def act(self) -> None:
        name = self.draw.choice(list(_FUNCTIONS))
        pool = self._stack.pools[_FUNCTIONS[name]]
        number = self.draw.randrange(len(pool))
        self._record.write("kill", name)
        if pool.kill(number):
            self.killed[name] += 1


class Trouble(Actor):
    """Breaks one thing for a moment and mends it: the origin, the secret, or AWS."""

    def __init__(
        self, stack: "LocalStack", origin: RecordedOrigin, relay: "Relay", record: Record, seed: int
    ) -> None:
        super().__init__(seed, pause_seconds=(0.3, 2))
        self._stack = stack
        self._origin = origin
        self._relay = relay
        self._record = record
        self.caused: Counter[str] = Counter()
        self._secrets = dict(stack.settings.clients)
        self._hides = False

    @override
    def act(self) -> None:
        deeds: Sequence[Deed] = (
            self._break_origin,
            self._lose_answers,
            self._break_aws,
            self._rotate,
            self._leave_out,
            self._hide,
            self._set_clock,
            self._lose_listing,
        )
        (deed,) = self.draw.choices(deeds, [14, 3, 2, 1, 1, 1, 1, 2])
        deed()

    def _break_origin(self) -> None:
        fault = self.draw.choice(_ORIGIN_FAULTS)
        self._count(f"origin {fault.kind} {fault.status or ''}".rstrip())
        if not fault.match and self.draw.random() < _ONE_CLIENT_SHARE:
            fault = replace(fault, match=self.draw.choice(sorted(self._secrets)))
        self._origin.faults = [fault]
        self.sleep(self.draw.uniform(0.2, 2.5))
        self._origin.faults = []

    def _lose_answers(self) -> None:
        self._count("answer to a write lost")
        self._relay.answers_to_writes_to_lose = self.draw.randint(1, 3)
        self.sleep(1)
        self._relay.answers_to_writes_to_lose = 0

    def _break_aws(self) -> None:
        error = self.draw.choice(_AWS_ERRORS)
        self._count(f"AWS {error[1] if error else 'hangs up'}")
        with self._broken("table"):
            self._relay.hangs_up, self._relay.error = error is None, error
            self.sleep(self.draw.uniform(0.2, 2))
            self._relay.hangs_up, self._relay.error = False, None

    def _rotate(self) -> None:
        """Rotate a secret at the origin, and a little later in Secrets Manager."""
        self._count("secret rotated")
        client_id = self.draw.choice(sorted(self._secrets))
        self._secrets[client_id] = f"rotated-{self.draw.randrange(10**6)}"
        self._origin.rotate_secret(client_id, self._secrets[client_id])
        self.sleep(self.draw.uniform(0, 3))
        self._stack.aws.put_secret(SECRET_NAME, secret_of(self._secrets))

    def _leave_out(self) -> None:
        """Empty the secret, or leave a client out of it; put it back a little later."""
        keys = dict(self._secrets)
        if self.draw.random() < _ONE_CLIENT_SHARE:
            self._count("client left out of the secret")
            del keys[self.draw.choice(sorted(keys))]
        else:
            self._count("secret emptied")
            keys.clear()
        with self._broken("secret"):
            self._stack.aws.put_secret(SECRET_NAME, secret_of(keys))
            self.sleep(self.draw.uniform(0.5, 6))
            self._stack.aws.put_secret(SECRET_NAME, secret_of(self._secrets))

    def _hide(self) -> None:
        """Deploy functions that hide something, or nothing any more."""
        self._hides = not self._hides
        self._count("something hidden" if self._hides else "nothing hidden any more")
        hidden = HIDDEN_KEY if self._hides else ""
        if not self._hides:
            self._record.write("hides", hidden)
        for pool in self._stack.pools.values():
            pool.deploy(HIDDEN_METADATA_KEYS=hidden)
        if self._hides:
            # Whoever asks from now on is told nothing of it.
            self._record.write("hides", hidden)

    def _set_clock(self) -> None:
        """Let the clock of those who revalidate in the background be wrong for a while."""
        self._count("clock wrong")
        pool = self._stack.pools[REFRESH_HANDLER]
        with self._broken("clock"):
            pool.deploy(CLOCK_AHEAD_SECONDS=str(self.draw.choice((1, -1)) * WRONG_BY_SECONDS))
            self.sleep(self.draw.uniform(3, 10))
            pool.deploy(CLOCK_AHEAD_SECONDS="0")

    def _lose_listing(self) -> None:
        """Lose what is known of the organization's list: also that it is to be left alone."""
        self._count("listing lost")
        lose_listing(self._stack)

    def _count(self, what: str) -> None:
        self.caused[what] += 1

    @contextmanager
    def _broken(self, what: str) -> Iterator[None]:
        self._record.write("breaks", what)
        try:
            yield
        finally:
            self._record.write("mended", what)
