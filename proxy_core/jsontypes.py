"""The type of parsed JSON at our borders.

`object` instead of a recursive union: dict and list are invariant, so a union would force copies where
plain literals do. Readers narrow with isinstance, at the border, once.
"""

from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]
