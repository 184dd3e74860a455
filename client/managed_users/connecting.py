"""Says why no connection came about, and whether trying again can help."""

from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from managed_users.errors import ConnectionFailedError


def connection_failed(error: requests.RequestException, url: str) -> ConnectionFailedError:
    """Return ``error`` in words that name no more of ``url`` than where it leads."""
    parts = urlsplit(url)
    place = (parts.netloc or url.partition("/")[0]).rpartition("@")[2]
    if parts.netloc:
        place = f"{parts.scheme}://{place}"
    lasting = _lasting(error, place)
    if lasting:
        return ConnectionFailedError(lasting, lasting=True)
    return ConnectionFailedError(f"{place} gave no answer ({type(error).__name__})")


def _lasting(error: requests.RequestException, place: str) -> str | None:
    if isinstance(error, requests.exceptions.SSLError):
        return f"{place} has no certificate to be trusted, or does not speak https"
    # An unknown scheme, no host, a port that is none: requests has a kind for each.
    if isinstance(error, ValueError):
        return f"{place} is not where a service can be: give --url or url like https://host/v2"
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    if isinstance(reason, NameResolutionError):
        return f"{place} cannot be found: is the name right?"
    if isinstance(reason, NewConnectionError):
        return f"{place} does not accept connections: does the service run there?"
    return None
