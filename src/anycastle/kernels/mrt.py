"""The kernels that read MRT archives in bulk."""

from typing import Final

from anycastle.kernels import mrt_attributes, mrt_routes, mrt_text
from anycastle.kernels.native import Kernel

DECODE_ROUTES: Final = Kernel(mrt_routes.decode_routes, mrt_routes.INLINED, mrt_routes.SIGNATURE, (mrt_routes,))
DECODE_ATTRIBUTES: Final = Kernel(
    mrt_attributes.decode_attributes, mrt_attributes.INLINED, mrt_attributes.SIGNATURE, (mrt_attributes, mrt_routes)
)
FILL_SLOTS: Final = Kernel(
    mrt_attributes.fill_slots, mrt_attributes.FILL_INLINED, mrt_attributes.FILL_SIGNATURE, (mrt_attributes, mrt_routes)
)
FORMAT_ROWS: Final = Kernel(
    mrt_text.format_rows, mrt_text.INLINED, mrt_text.SIGNATURE, (mrt_text, mrt_attributes, mrt_routes)
)
