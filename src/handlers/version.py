"""Which build this is; ``dev/deploy/build_artifact.py`` writes its own value over this one."""

VERSION = "unbuilt"
"""The project's version and the commit, ``0.1.0+1a2b3c4d5e6f``, and ``.changed`` if more was."""
