"""The kernels that read MRT archives in bulk."""

from typing import Final

from anycastle.kernels import mrt_attributes, mrt_paths, mrt_rib, mrt_routes, mrt_rows, mrt_text
from anycastle.kernels.native import Kernel

DECODE_ROUTES: Final = Kernel(
    mrt_routes.decode_routes, mrt_routes.INLINED, mrt_routes.SIGNATURE, (mrt_routes, mrt_rib, mrt_rows)
)
DECODE_ATTRIBUTES: Final = Kernel(
    mrt_attributes.decode_attributes, mrt_attributes.INLINED, mrt_attributes.SIGNATURE, (mrt_attributes, mrt_rows)
)
DECODE_PATHS: Final = Kernel(
    mrt_paths.decode_paths, mrt_paths.INLINED, mrt_paths.SIGNATURE, (mrt_paths, mrt_attributes, mrt_rows)
)
LOCATE_PATHS: Final = Kernel(
    mrt_paths.locate_paths,
    mrt_paths.LOCATE_INLINED,
    mrt_paths.LOCATE_SIGNATURE,
    (mrt_paths, mrt_attributes, mrt_rows),
)
FILL_SLOTS: Final = Kernel(
    mrt_attributes.fill_slots, mrt_attributes.FILL_INLINED, mrt_attributes.FILL_SIGNATURE, (mrt_attributes, mrt_rows)
)
FORMAT_ROWS: Final = Kernel(
    mrt_text.format_rows, mrt_text.INLINED, mrt_text.SIGNATURE, (mrt_text, mrt_attributes, mrt_rows)
)
FORMAT_KEPT: Final = Kernel(
    mrt_text.format_kept,
    mrt_text.KEPT_INLINED,
    mrt_text.KEPT_SIGNATURE,
    (mrt_text, mrt_attributes, mrt_rows),
)
