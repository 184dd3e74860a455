"""The Lambda functions, a module each, and what they share: translation, wiring, observing."""

import gc
import os
from pathlib import Path

from handlers.artifact import refuse_other_processors

# What is imported stays: looking for garbage among it every 2,000 objects, as Python does,
# takes a thirtieth of a cold start.
gc.set_threshold(100_000)

# Here, because it must come before what is compiled, in every function.
refuse_other_processors(Path(__file__).parents[1], os.uname().machine)
