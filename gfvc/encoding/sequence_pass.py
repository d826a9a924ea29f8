"""A pass in which coded pictures are predicted sequences, and others drawn between them."""

from __future__ import annotations

from gfvc.encoding.base_sequence import BaseSequenceCoder
from gfvc.encoding.clip import Clip
from gfvc.encoding.content_choice import by_content
from gfvc.encoding.face_messages import SequenceMessages
from gfvc.encoding.passes import Pass
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import SegmentCoder, at_distance
from gfvc.encoding.sequence_executor import SequenceExecutor
from gfvc.encoding.tracked_facts import TrackedFacts
from gfvc.rate_control import RateSettings
from gfvc.stream.writer import StreamWriter
from models import Analyser
from models.contract import Picture


class SequencePass(Pass):
    """Codes the pictures of a clip, segment by segment; their pictures wait in a file."""

    def __init__(
        self, clip: Clip, settings: RateSettings, writer: StreamWriter, analyser: Analyser
    ) -> None:
        options = clip.options
        assert settings.coded_qp is not None
        assert settings.coded_seconds is not None
        self._base = BaseSequenceCoder(
            clip.codec,
            settings.key_qp,
            settings.coded_qp,
            clip.rate,
            encoder=options.base_encoder,
            timeout=options.timeout,
        )
        between = (settings.key_qp + settings.coded_qp) // 2
        self._ordinary = clip.ordinary_video(between)
        self._store = PictureStore()
        messages = SequenceMessages(clip.model.layout, clip.card, clip.symbol_settings(settings))
        if settings.coded_price is None:
            choose = at_distance(settings.coded_seconds * float(clip.rate))
        else:
            choose = by_content(self._store, analyser, clip.rate, settings)
        segments = SegmentCoder(
            clip.model, analyser, self._store, self._base, messages, writer, choose
        )
        refusal = clip.too_coarse() if options.fallback == "never" else None
        self._segments = SequenceExecutor(self._store, segments, self._ordinary, writer, refusal)
        facts = TrackedFacts(analyser, clip.rate)
        super().__init__(clip.plan_settings(), facts, self._segments)

    @property
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""
        return self._segments.lost_keys

    @property
    def base_codec_seconds(self) -> float:
        """Time spent in programs of the base codec."""
        return self._base.seconds + self._ordinary.seconds

    def take(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [size, size, 3]."""
        self._store.add(number, picture)
        super().take(number, picture)

    def close(self) -> None:
        """Free files."""
        self._ordinary.close()
        self._store.close()
