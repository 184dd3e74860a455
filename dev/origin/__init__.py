"""A stand-in for Cal.com's managed-users endpoints, for tests and for the local stack.

It was written from the origin's recorded behaviour and shares no code with the service, so that a
wrong idea of the origin cannot hide in both.

    with OriginDouble({"client": "secret"}, users=620) as origin:
        origin.faults = [Fault("status", status=503, times=1)]
        origin.before_call = lambda request: origin.delete("client", 1001)
        ...  # ask origin.url
        assert len(origin.list_calls("client")) == 2
"""

from dev.origin.faults import Fault
from dev.origin.organizations import Organization, Organizations, demo_members
from dev.origin.origin import Call, Request
from dev.origin.rules import Bounds
from dev.origin.server import OriginDouble
from dev.origin.throttle import Limits
from dev.origin.users import User, demo_user, demo_users, plain_users

__all__ = [
    "Bounds",
    "Call",
    "Fault",
    "Limits",
    "Organization",
    "Organizations",
    "OriginDouble",
    "Request",
    "User",
    "demo_members",
    "demo_user",
    "demo_users",
    "plain_users",
]
