"""What is known to be wrong and not mended yet: not complained of where it may be seen.

Each is to be deleted, together with its use, when the service is mended.
"""

from tests.simulation.plan import Fault, Plan
from tests.simulation.truth import Truth


def nobody_left_of_lost_pages(plan: Plan, truth: Truth) -> bool:
    """An origin that has lost everybody is never believed while the last pages are lost, too."""
    return Fault.PAGES_LOST in plan.faults and not truth.rows
