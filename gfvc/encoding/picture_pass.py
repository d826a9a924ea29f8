"""A pass in which key pictures are coded one by one, as they come."""

from __future__ import annotations

from gfvc.base_layer import KeyPictureCoder
from gfvc.encoding.clip import Clip
from gfvc.encoding.executor import PlanExecutor
from gfvc.encoding.face_units import DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.encoding.face_watch import FaceWatch
from gfvc.encoding.facts import MeasuredFacts
from gfvc.encoding.passes import Pass
from gfvc.rate_control import RateSettings
from gfvc.stream.writer import StreamWriter
from models import Analyser


class PicturePass(Pass):
    """Codes the pictures of a clip, each as soon as it is decided what becomes of it.

    The encoder holds a decoder: key pictures are analysed as decoded.
    """

    def __init__(
        self, clip: Clip, settings: RateSettings, writer: StreamWriter, analyser: Analyser
    ) -> None:
        options = clip.options
        coder = KeyPictureCoder(
            clip.codec, settings.key_qp, clip.rate, options.base_encoder, options.timeout
        )
        self._ordinary = clip.ordinary_video(settings.key_qp)
        watch = None if options.fallback == "always" else FaceWatch(clip.rate)
        self._measured = MeasuredFacts(clip.model, analyser, coder, watch)
        executor = PlanExecutor(
            self._measured,
            _face_units(clip, settings, writer),
            self._ordinary,
            writer,
            options.reference_pool,
        )
        super().__init__(clip.plan_settings(), self._measured, executor)

    @property
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""
        return self._measured.lost_keys

    @property
    def base_codec_seconds(self) -> float:
        """Time spent in programs of the base codec."""
        return self._measured.coding_seconds + self._ordinary.seconds

    def close(self) -> None:
        """Free files."""
        self._ordinary.close()


def _face_units(clip: Clip, settings: RateSettings, writer: StreamWriter) -> FaceUnits:
    """What turns face parameters into messages."""
    options, layout = clip.options, clip.model.layout
    if options.low_delay:
        return ImmediateUnits(layout, clip.card, writer)
    decisions = clip.symbol_settings(settings)
    return DecidedUnits(layout, clip.card, writer, decisions, options.reference_pool)
