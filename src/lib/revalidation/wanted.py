"""Asks the origin for some users by name, and tells what that costs.

Pure but for the calls it is given.
"""

from lib.origin.batches import batches_of
from lib.origin.calls import OriginCalls
from lib.revalidation.window import Users, Window
from lib.users.address import is_address, stored_form
from lib.users.document import address_of, id_of
from lib.users.keys import UserKeys


def least_calls(wanted: UserKeys, window: Window) -> int:
    """Return how many calls it takes at least to ask for the users in ``wanted``."""
    askable = {address: address for address in wanted.addresses if is_address(address)}
    batches = batches_of(askable, most=window.max_limit)
    return max(1, len(list(batches)) + len(set(wanted.ids)))


def ask_for(wanted: UserKeys, base: Users, calls: OriginCalls) -> tuple[Users, set[int]]:
    """Return who of ``wanted`` is there, and whose id the origin does not know any more.

    Whoever had a wanted address in ``base`` and has lost it is asked for by id.

    Raises:
        OriginError: the origin failed.
        NotAskedError: there is no time or budget for all of them.
    """
    stored = {address: address for address in wanted.addresses}
    seen = {
        id_of(line): line for batch in calls.batches(stored) for line in calls.find(batch.values())
    }
    gone: set[int] = set()
    # Wanted addresses have the suffix, which a holder's own need not have.
    holders = [
        user_id
        for user_id, line in base.items()
        if stored and stored_form(address_of(line), calls.client_id) in stored
    ]
    for user_id in dict.fromkeys([*wanted.ids, *holders]):
        if user_id not in seen:
            calls.require_time()
            line = calls.user(user_id)
            if line is None:
                gone.add(user_id)
            else:
                seen[user_id] = line
    return seen, gone
