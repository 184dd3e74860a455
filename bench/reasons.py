"""Why a promise is missed, and which floor it runs into: told in the docs beside the figure."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "cold_vs_typical_sam_build": (
        "of our milliseconds, the runtime itself takes as many as a handler that does nothing, and "
        "powertools as many as an echo does beyond that; the rest is the botocore client and the "
        "first read."
    ),
    "lookup_10k_vs_500": (
        "look-ups by address; they read as many items, but spread over forty shards and pages, "
        "which no processor cache holds at once."
    ),
}
