"""Why a promise is missed, and which floor it runs into: told in the docs beside the figure."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "cold_vs_typical_sam_build": (
        "the promise leaves little more than an echo with bytecode takes, which reads nothing; "
        "loading boto3, its DynamoDB client and the first call come on top (the table of cold "
        "starts has the echo and the floor)."
    ),
}
