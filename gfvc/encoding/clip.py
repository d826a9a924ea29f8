"""A clip to be coded, and what its options ask of the parts that code it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from base_codec_adapters import Codec
from gfvc.base_layer import SequenceQps
from gfvc.encoding.decisions import PlanSettings
from gfvc.encoding.face_units import MAX_BUFFERED
from gfvc.encoding.key_candidates import LOOK_SECONDS
from gfvc.errors import KeyPictureTooCoarseError
from gfvc.halving import LEAST_KEY_QP, can_be_halved
from gfvc.options.encoding import DECISIONS, EncodeOptions
from gfvc.rate_control.ladder import Coding, RateSettings
from gfvc.scaling import Size
from gfvc.stream.information import StreamInformation
from gfvc.stream.sequence import MAX_LEADING
from gfvc.symbol_decisions.decision import Switches, SymbolSettings
from models import AnimationModel, ModelCard
from models.post_filter import ENLARGING

SPOOL_BYTES = 1 << 30
"""What a sequence of ordinary video that waits for its encoder may take on the disk."""

LOW_DELAY_SECONDS = 1
"""How long ordinary video waits at most with low delay: a sequence of it is coded as a whole."""

LONGEST_SEGMENT = 1800
"""Pictures of a segment at most, where a segment is coded as a whole: half a minute, 60 a second.

Choosing its coded pictures takes memory that goes by the square.
"""


@dataclass(frozen=True, slots=True)
class Clip:
    """A source, and all that is decided about it before its first pass.

    `information.rate` are its coded pictures per second, `size` is the width and height in pixels
    of what is tracked and drawn; `expected` is about how many pictures they are, or None.
    """

    source: Path
    options: EncodeOptions
    codec: Codec
    model: AnimationModel
    card: ModelCard
    information: StreamInformation
    size: Size
    expected: int | None

    @property
    def rate(self) -> Fraction:
        """Coded pictures per second."""
        return self.information.rate

    @property
    def shown_size(self) -> Size:
        """Width and height of the pictures that come out."""
        return self.information.shown_size or self.size

    @property
    def codes_sequences(self) -> bool:
        """Whether there are predicted coded pictures: for a model that draws from two of them."""
        return self.options.codes_sequences and self.model.draws_from_both

    @property
    def coding(self) -> Coding:
        """What its settings are of."""
        return Coding(self.codec, self.codes_sequences, self.options.whole_pictures)

    def stated(self, settings: RateSettings) -> StreamInformation:
        """What its stream says of all pictures.

        Sequences, and ordinary video, say themselves by which filter they go and what it is told.
        """
        if not self.information.post_filter:
            return self.information
        return replace(self.information, post_filter_qps=SequenceQps(settings.key_qp).told)

    def post_filter(self, settings: RateSettings) -> int:
        """The number of the post-filter that its coded pictures may go by with some settings."""
        return ENLARGING if self.halves(settings) else self.information.post_filter

    def chooses_filter(self, settings: RateSettings) -> bool:
        """Whether pictures go by that filter only where it makes them more like the source.

        Halved ones always do, or they would come out small.
        """
        return self.options.post_filter is None and not self.halves(settings)

    def halves(self, settings: RateSettings) -> bool:
        """Whether pictures are coded at half their width and height, and enlarged by that filter.

        That was measured in VVC, where some coded pictures are predicted.
        """
        options = self.options
        qps = [settings.key_qp]
        if options.fallback_qp is not None:
            qps.append(options.fallback_qp)
        return (
            self.model.wants_post_filter
            and options.post_filter is None
            and options.coded_size == "auto"
            and self.information.shown_size is None
            and self.codec == "vvc"
            and self.codes_sequences
            and can_be_halved(self.size, self.information.face_squares)
            and min(qps) >= LEAST_KEY_QP
        )

    def coded_size(self, settings: RateSettings) -> Size:
        """Width and height of its coded pictures."""
        width, height = self.size
        return (width // 2, height // 2) if self.halves(settings) else self.size

    def too_coarse(self) -> KeyPictureTooCoarseError:
        """Its coded key picture does not show the face that the source shows."""
        return KeyPictureTooCoarseError(
            f"{self.source}: shows a face, but its coded key picture does not; "
            "lower --key-qp, code a larger picture (--size, --coded-size full), or send it as "
            "ordinary video (--fallback auto)"
        )

    def plan_settings(self) -> PlanSettings:
        """What the planner of its pictures is told."""
        options = self.options
        settings = PlanSettings(
            rate=self.rate,
            key_interval=options.key_interval,
            fallback=options.fallback,
            pool=options.reference_pool,
            longest_unit=MAX_BUFFERED,
        )
        waiting = most_pictures(self.size)
        if self.codes_sequences:
            # A segment waits on the disk as a whole, with twice as many samples.
            most = min(settings.interval, waiting // 2, LONGEST_SEGMENT)
            wanted = settings.pictures(LOOK_SECONDS)
            ahead = min(wanted, MAX_LEADING // 2, most // 2)
            settings = replace(settings, key_interval=most, look_ahead=ahead)
        longest = min(settings.interval, waiting)
        if options.low_delay:
            longest = min(longest, settings.pictures(LOW_DELAY_SECONDS))
        return replace(settings, longest_sequence=longest)

    @property
    def longest_interval(self) -> int:
        """Pictures from key picture to key picture at most, whatever interval is asked for."""
        settings = self.plan_settings()
        if self.options.fallback == "always" and settings.longest_sequence is not None:
            return settings.longest_sequence
        return settings.interval

    def symbol_settings(self, settings: RateSettings) -> SymbolSettings:
        """How it is decided what is sent of faces."""
        taken = {name: name not in self.options.without for name in DECISIONS}
        interval = self.options.symbol_interval(self.rate)
        return SymbolSettings(settings.symbol_price, Switches(interval, **taken))

    def ordinary_qps(self, qp: int) -> SequenceQps:
        """How ordinary video is coded; `qp` where the options do not say."""
        asked = self.options.fallback_qp
        qps = SequenceQps(predicted=qp if asked is None else asked)
        qps.check(self.codec, "of ordinary video")
        return qps


def most_pictures(size: Size) -> int:
    """Pictures of a sequence of ordinary video at most, so many samples wide and high."""
    return max(1, SPOOL_BYTES // (size[0] * size[1] * 3 // 2))
