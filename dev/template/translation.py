"""Translates ``template.yaml`` into the CloudFormation that is deployed, without an account.

SAM's own ``validate`` lets pass an unknown runtime, a time-out of an hour or a reference to
nothing in ``Globals``. The linter for CloudFormation finds them all, but only in the translation.

``python -m dev.template.translation <file>`` writes it as JSON; tests use ``translate``.
"""

import copy
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from dev import ROOT

type Json = Any  # A template is free-form: its readers check what they use.


def source() -> Json:
    """Return ``template.yaml`` with CloudFormation's short forms in their long ones."""
    return yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))


def translate() -> Json:
    """Return the CloudFormation template that SAM makes of ``template.yaml``."""
    template = copy.deepcopy(source())
    # `sam deploy` puts the uploaded artifact's address here; the translator insists on one.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/artifact"
    # The translator wants to know a region, and logs that this one has no feature flags.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.getLogger("samtranslator.feature_toggle").setLevel(logging.CRITICAL)
    return json.loads(json.dumps(transform(template, {}, _NoManagedPolicies())))


class _NoManagedPolicies:
    """Stands in for the names of AWS's managed policies, of which the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(translate(), indent=1), encoding="utf-8")
