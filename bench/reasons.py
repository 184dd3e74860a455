"""Why a promise is missed, and which floor it runs into: told in the docs beside the figure."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "cold_vs_typical_sam_build": (
        "an echo with bytecode, which neither stores nor reads anything, takes most of that by "
        "itself (the table of cold starts has it), and the botocore client is the rest."
    ),
}
