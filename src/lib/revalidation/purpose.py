"""Why the origin is asked again.

Pure data.
"""

from dataclasses import dataclass

from lib.users.keys import UserKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why a directory is swept.

    ``forced`` arms the floor between forced sweeps; ``repair`` publishes anew although nothing
    changed, because what is stored is broken; ``believed``: an operator knows that whoever is
    missing is gone. ``wanted`` asks for some users only.
    """

    forced: bool = False
    repair: bool = False
    believed: bool = False
    wanted: UserKeys | None = None


ROUTINE = Purpose()
"""A sweep that nobody asked for in particular."""
