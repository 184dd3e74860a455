"""The Lambda functions, a module each, and what they share: translation, wiring, observing."""

import os
from pathlib import Path

from handlers.artifact import refuse_other_processors

# Here, because it must come before what is compiled, in every function.
refuse_other_processors(Path(__file__).parents[1], os.uname().machine)
