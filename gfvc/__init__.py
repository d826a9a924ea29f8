"""gfvc: a generative face video codec.

Talking-head video as a few coded pictures of a standard VVC or HEVC stream. The others are drawn
from these, as numbers in generative face video SEI messages (H.274) of the same stream say.

>>> import gfvc
>>> sorted(gfvc.__all__)[:3]
['DecodeOptions', 'DecodeSummary', 'EditSummary']
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is not imported for it: a signal may come at any time
if TYPE_CHECKING:
    from typing import Any

    from gfvc.decoder import DecodeSummary, decode
    from gfvc.encoder import EncodeSummary, encode
    from gfvc.errors import GfvcError, InputError, OutputError, StreamError
    from gfvc.exporting.exporter import ExportSummary, export
    from gfvc.face_edits.editor import edit
    from gfvc.face_edits.sequence_editor import EditSummary
    from gfvc.options.decoding import DecodeOptions
    from gfvc.options.editing import FaceEdit
    from gfvc.options.encoding import EncodeOptions
    from gfvc.options.exporting import ExportOptions

__version__ = "0.1.0"

__all__ = [
    "DecodeOptions",
    "DecodeSummary",
    "EditSummary",
    "EncodeOptions",
    "EncodeSummary",
    "ExportOptions",
    "ExportSummary",
    "FaceEdit",
    "GfvcError",
    "InputError",
    "OutputError",
    "StreamError",
    "__version__",
    "decode",
    "edit",
    "encode",
    "export",
]

_HOMES = {
    "gfvc.decoder": ("DecodeSummary", "decode"),
    "gfvc.encoder": ("EncodeSummary", "encode"),
    "gfvc.errors": ("GfvcError", "InputError", "OutputError", "StreamError"),
    "gfvc.exporting.exporter": ("ExportSummary", "export"),
    "gfvc.face_edits.editor": ("edit",),
    "gfvc.face_edits.sequence_editor": ("EditSummary",),
    "gfvc.options.decoding": ("DecodeOptions",),
    "gfvc.options.editing": ("FaceEdit",),
    "gfvc.options.encoding": ("EncodeOptions",),
    "gfvc.options.exporting": ("ExportOptions",),
}


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "annotations"})


def __getattr__(name: str) -> Any:
    """Load the encoder and decoder when asked for: `gfvc --help` must not wait for them."""
    for home, names in _HOMES.items():
        if name in names:
            import importlib

            from models.importing import load

            if home != "gfvc.errors":
                load("numpy")  # so that an interrupt leaves nothing half loaded
            if not home.startswith(("gfvc.errors", "gfvc.options.")):
                load("cv2")
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'gfvc' has no attribute {name!r}")
