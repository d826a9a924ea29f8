"""gfvc: a generative face video codec.

Talking-head video as key pictures in a standard VVC or HEVC stream, and a few numbers for every
other picture in the generative face video SEI messages (H.274) of the same stream.

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

_HOME = {
    "DecodeOptions": "gfvc.options.decoding",
    "DecodeSummary": "gfvc.decoder",
    "decode": "gfvc.decoder",
    "EncodeOptions": "gfvc.options.encoding",
    "EncodeSummary": "gfvc.encoder",
    "encode": "gfvc.encoder",
    "EditSummary": "gfvc.face_edits.sequence_editor",
    "edit": "gfvc.face_edits.editor",
    "FaceEdit": "gfvc.options.editing",
    "ExportOptions": "gfvc.options.exporting",
    "ExportSummary": "gfvc.exporting.exporter",
    "export": "gfvc.exporting.exporter",
    "GfvcError": "gfvc.errors",
    "InputError": "gfvc.errors",
    "OutputError": "gfvc.errors",
    "StreamError": "gfvc.errors",
}


def __getattr__(name: str) -> Any:
    """Load the encoder and decoder when asked for: `gfvc --help` must not wait for them."""
    if name not in _HOME:
        raise AttributeError(f"module 'gfvc' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
