"""What developing and running this service takes beside it; nothing of it is deployed.

local/     the service on one machine: embedded AWS, workers, an HTTP front, two pages
origin/    a double of Cal.com's endpoints
deploy/    the artifact, and the deployed shape on an embedded AWS
template/  what is read from ``template.yaml``
docs/      documents made from it, and the site of all documents
fuzz/      Schemathesis against the running service
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""
