"""What goes on around the service: users come, change and go, and things break for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.fakes import CLIENT, User, user
from tests.simulation.origin import OriginServer
from tests.simulation.plan import CANARY, Fault, Plan
from tests.simulation.scheduler import Scheduler
from tests.simulation.services import Vault
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather

_ZONES = ("Europe/London", "Europe/Berlin", "Asia/Tokyo")
_PLANS = ("free", "pro")

_LIKELY = {
    Fault.STORE_REFUSES: (0.05, 0.3, 1.0),
    Fault.STORE_LOSES: (0.05, 0.3),
    Fault.STORE_REPEATS: (0.3,),
    Fault.STORE_CONFLICTS: (0.5, 1.0),
    Fault.CRASH: (0.01, 0.05),
    Fault.PAUSE: (0.01, 0.05),
    Fault.ORIGIN_FAILS: (0.3, 1.0),
    Fault.ORIGIN_SLOW: (0.3, 1.0),
    Fault.ORIGIN_SHAPE: (0.3, 1.0),
    Fault.ORIGIN_BLOCKS: (0.3, 1.0),
    Fault.ORIGIN_SHARED: (0.5,),
    Fault.LIST_SHORTER: (0.3, 1.0),
    Fault.LIST_EMPTY: (0.3, 1.0),
    Fault.SECRET_DOWN: (0.5, 1.0),
    Fault.INVOKE_REFUSED: (0.5,),
    Fault.INVOKE_LOST: (0.5, 1.0),
    Fault.INVOKE_TWICE: (0.5, 1.0),
    Fault.MEMBERS_REFUSED: (0.3, 1.0),
    Fault.MEMBERS_TOO_MANY: (0.3, 1.0),
    Fault.BUS_REFUSES: (0.3, 1.0),
}
"""How likely faults strike, where they can strike anywhere, in one of their episodes."""


@dataclass(slots=True, kw_only=True)
class Writer:
    """Creates, changes and deletes users at the origin."""

    plan: Plan
    truth: Truth
    others: dict[int, User]
    scheduler: Scheduler
    random: Random
    next_id: int = 1001

    def fill(self) -> None:
        """Create the users there are at the beginning."""
        for _ in range(self.plan.users):
            self.create()
        for _ in range(self.random.choice((0, 5, 60)) if self.plan.organized else 0):
            self.join()

    def join(self) -> None:
        """Let somebody join the organization who is no user of the client, like one or not."""
        user_id = self._free_id()
        address = self.random.choice(
            (
                f"staff{user_id}@example.org",
                f"u{user_id}+clxother00000000000000001@example.org",
                f"user{user_id}+{CLIENT}@example.com",
            )
        )
        self.others[user_id] = user(user_id, email=address)

    def create(self) -> None:
        """Create a user."""
        user_id = self._free_id()
        row = user(user_id, bio=f"{CANARY}-bio-{user_id}")
        row["metadata"] = {
            "plan": self.random.choice(_PLANS),
            "stripeCustomerId": f"{CANARY}-stripeCustomerId-{user_id}",
        }
        self.truth.put(row, self.scheduler.now)

    def delete(self, most: int = 1) -> None:
        """Delete some users."""
        for user_id in self.random.sample(self.truth.ids, min(most, len(self.truth.ids))):
            self.truth.remove(user_id, self.scheduler.now)

    def change(self) -> None:
        """Change a user."""
        if not self.truth.ids:
            return
        row = self.truth.rows[self.random.choice(self.truth.ids)]
        self.truth.put(row | self._changed(row), self.scheduler.now)

    def once(self) -> None:
        """Write something."""
        deeds: list[Callable[[], None]] = [self.create, self.delete, self.change, self.join]
        often = [2, 2 if len(self.truth.ids) > 4 else 0, 5, 1 if self.plan.organized else 0]
        (deed,) = self.random.choices(deeds, often)
        deed()

    def _free_id(self) -> int:
        user_id, self.next_id = self.next_id, self.next_id + self.random.choice((1, 1, 3))
        return user_id

    def _changed(self, row: User) -> User:
        number = self.random.randrange(10**6)
        return self.random.choice(
            (
                {"name": f"n{number}"},
                {"timeZone": self.random.choice(_ZONES)},
                {"email": f"moved{number}+{CLIENT}@example.org"},
                {"email": f"own{number}@example.org"},
                {"metadata": {**row["metadata"], "plan": self.random.choice(_PLANS)}},
                {"bio": f"{CANARY}-bio-{number}"},
            )
        )


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Lets one kind of fault come and go; ``redeploy`` hides something else."""

    weather: Weather
    scheduler: Scheduler
    random: Random
    writer: Writer
    vault: Vault
    server: OriginServer
    redeploy: Callable[[], None]
    lose_pages: Callable[[], None]
    until: float

    def go_on(self, fault: Fault) -> None:
        """Begin and end episodes until it is time to stop."""
        while True:
            self._sleep(self.random.expovariate(1 / 60))
            if self.scheduler.now >= self.until:
                return
            self.scheduler.note(f"BEGINS: {fault}")
            if fault not in _LIKELY:
                self.weather.struck[fault] += 1
            self._episode(fault)
            self.scheduler.note(f"ENDS: {fault}")

    def _episode(self, fault: Fault) -> None:
        match fault:
            case Fault.PURGE:
                self.writer.delete(self.random.choice((3, 8, 15, 40)))
            case Fault.SIGN_UPS:
                for _ in range(self.random.choice((3, 10))):
                    self.writer.create()
            case Fault.HIDING:
                self.redeploy()
            case Fault.PAGES_LOST:
                self.lose_pages()
            case Fault.SECRET_ROTATED:
                self.server.key = f"key{self.random.randrange(10**6)}"
                self._sleep(self.random.choice((0, 3, 20)))
                self.vault.change(self.scheduler.now, key=self.server.key)
            case Fault.SECRET_EMPTY:
                self._spoil(emptied=True)
            case Fault.SECRET_LEFT_OUT:
                self._spoil(left_out=True)
            case Fault.WRONG_CLOCK:
                self._sleep(1)
            case _:
                self.weather.likely[fault] = self.random.choice(_LIKELY[fault])
                self._sleep(self.random.choice((1, 5, 20, 60)))
                self.weather.likely.pop(fault, None)

    def _spoil(self, **how: bool) -> None:
        self.vault.change(self.scheduler.now, **how)
        self._sleep(self.random.choice((5, 40, 100)))
        self.vault.change(self.scheduler.now, **dict.fromkeys(how, False))

    def _sleep(self, seconds: float) -> None:
        left = max(0.0, self.until - self.scheduler.now)
        self.scheduler.sleep(min(seconds, left + 1e-6))
