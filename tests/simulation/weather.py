"""Which faults there are just now, and whether one strikes."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.simulation.plan import Fault


@dataclass(slots=True)
class Weather:
    """Faults by how likely each strikes wherever it can; ``struck`` counts them."""

    random: Random
    likely: dict[Fault, float] = field(default_factory=dict)
    struck: Counter[Fault] = field(default_factory=Counter)

    def strikes(self, fault: Fault) -> bool:
        """Return whether ``fault`` strikes here and now."""
        share = self.likely.get(fault)
        if share is None or self.random.random() >= share:
            return False
        self.struck[fault] += 1
        return True

    def any_of(self, *faults: Fault) -> Fault | None:
        """Return the first of ``faults`` that strikes here and now."""
        return next((fault for fault in faults if self.strikes(fault)), None)
