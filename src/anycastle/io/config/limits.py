"""Bounds on what a fleet folder may hold, so that a hostile or broken file costs little."""

from typing import Final

FILE_BYTES_MAX: Final = 1024 * 1024
"""Octets of one file; a service of 30 lines is about 1 kB."""

FILES_MAX: Final = 10_000
"""Files read from one folder."""

FOLDER_DEPTH_MAX: Final = 8
"""Folders within `pops/` and `services/`."""

NESTING_MAX: Final = 32
"""Mappings and lists within each other; the deepest that a fleet needs is 7."""

NODES_MAX: Final = 50_000
"""Keys and values of one file after its aliases are expanded: this stops a file that doubles itself."""

SCALAR_CHARACTERS_MAX: Final = 4096
"""Characters of one value."""

SHOWN_CHARACTERS_MAX: Final = 60
"""Characters of a bad value that a message repeats."""
