"""A pass over a clip: a planner, the facts that it asks for, and what carries its decisions out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.encoding.clip import Clip
from gfvc.encoding.coded_choice import at_distance, by_content
from gfvc.encoding.decisions import Facts, PlanSettings
from gfvc.encoding.executor import (
    Executor,
    OrdinaryVideo,
    PictureExecutor,
    SequenceExecutor,
)
from gfvc.encoding.face_messages import SequenceMessages
from gfvc.encoding.face_places import face_places
from gfvc.encoding.face_units import DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.encoding.face_watch import FaceWatch
from gfvc.encoding.grid_choice import GridChoice
from gfvc.encoding.measured_facts import MeasuredFacts
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.planner import PicturePlanner
from gfvc.encoding.segments import SegmentCoder
from gfvc.encoding.tracked_facts import TrackedFacts
from gfvc.encoding.work_done import WorkDone
from gfvc.options.encoding import CONTROL_GRIDS
from gfvc.parameter_coding import FIRST_GFV_ID
from gfvc.post_filtering import UNFILTERED, PostFiltering
from gfvc.rate_control.ladder import RateSettings, all_coded_qp, grid_multiplier
from gfvc.stream.writer import StreamWriter
from models import Analyser
from models.contract import Closable, Picture
from models.post_filter import FACES


class KeptFacts(Facts, Protocol):
    """Facts about pictures that are added one by one, and forgotten."""

    def add(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [height, width, 3]."""

    def keep(self, pictures: Collection[int], shown: Collection[int]) -> None:
        """Forget what was found in all but these pictures, and those that are shown already."""


class Pass(Closable):
    """Takes the pictures of a clip in order, and writes a stream. Use as a context.

    The encoder holds a decoder: coded pictures are analysed as decoded. Raises `GfvcError`,
    `ModelError` or `BaseCodecError` when a picture cannot be coded.

    Attributes:
        executor: carries decisions out, and counts output pictures.
        base: codes pictures with the base codec, and counts its seconds.
    """

    def __init__(
        self, settings: PlanSettings, facts: KeptFacts, executor: Executor, base: BaseLayerCoder
    ) -> None:
        self._facts = facts
        self.executor = executor
        self._planner = PicturePlanner(settings, facts)
        self.base = base

    def take(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [height, width, 3]."""
        self._facts.add(number, picture)
        for decision in self._planner.take(number):
            self.executor.carry_out(decision)
        self._facts.keep(self._planner.held, self._planner.shown)

    def finish(self) -> None:
        """Code what is held back, at the end of the clip."""
        for decision in self._planner.finish():
            self.executor.carry_out(decision)
        self.executor.finish()

    def close(self) -> None:
        """Free files."""
        self.executor.close()


def open_pass(
    clip: Clip, settings: RateSettings, writer: StreamWriter, analyser: Analyser, work: WorkDone
) -> Pass:
    """A pass that codes a clip with some settings; nothing is coded yet.

    `work` is told what is done of a sequence of the base layer.
    """
    options = clip.options
    base = BaseLayerCoder(
        clip.codec,
        clip.rate,
        options.base_encoder,
        options.timeout,
        options.effort,
        halves=clip.halves(settings),
    )
    made = _sequence_pass if clip.codes_sequences else _picture_pass
    return made(clip, settings, writer, analyser, base, work)


def _picture_pass(
    clip: Clip,
    settings: RateSettings,
    writer: StreamWriter,
    analyser: Analyser,
    base: BaseLayerCoder,
    work: WorkDone,
) -> Pass:
    """Key pictures are coded one by one, as they come; other pictures as soon as it is decided."""
    options = clip.options
    watch = None if options.fallback == "always" else FaceWatch(clip.rate)
    qps = SequenceQps(settings.key_qp)
    qps.check(clip.codec)
    information = clip.information
    filtering = PostFiltering(information.post_filter, information.face_squares)
    facts = MeasuredFacts(clip.model, analyser, base, qps, clip.rate, watch, filtering)
    ordinary = _ordinary_video(clip, settings, settings.key_qp, writer, base, work)
    units = _face_units(clip, settings, writer)
    executor = PictureExecutor(facts, units, ordinary, options.reference_pool)
    return Pass(clip.plan_settings(), facts, executor, base)


def _ordinary_video(
    clip: Clip,
    settings: RateSettings,
    qp: int,
    writer: StreamWriter,
    base: BaseLayerCoder,
    work: WorkDone,
) -> OrdinaryVideo:
    """Ordinary video at a QP, unless options say another. Where it has faces is not known."""
    number = clip.post_filter(settings)
    return OrdinaryVideo(
        base,
        clip.ordinary_qps(qp),
        writer,
        work,
        low_delay=clip.options.low_delay,
        filtering=UNFILTERED if number == FACES else PostFiltering(number),
        may_be_none=clip.chooses_filter(settings),
    )


def _face_units(clip: Clip, settings: RateSettings, writer: StreamWriter) -> FaceUnits:
    """What turns face parameters into messages."""
    options, layout = clip.options, clip.model.layout
    if options.low_delay:
        return ImmediateUnits(layout, clip.card, writer)
    decisions = clip.symbol_settings(settings)
    return DecidedUnits(layout, clip.card, writer, decisions, options.reference_pool)


def _sequence_pass(
    clip: Clip,
    settings: RateSettings,
    writer: StreamWriter,
    analyser: Analyser,
    base: BaseLayerCoder,
    work: WorkDone,
) -> Pass:
    """Coded pictures are predicted, segment by segment, and others are drawn between them."""
    assert settings.coded_qp is not None
    assert settings.coded_seconds is not None
    qps = SequenceQps(settings.key_qp, settings.coded_qp)
    qps.check(clip.codec)
    between = (settings.key_qp + settings.coded_qp) // 2
    ordinary = _ordinary_video(clip, settings, between, writer, base, work)
    store = PictureStore()
    places = face_places(clip.model, analyser)
    if settings.coded_price is None:
        choose = at_distance(settings.coded_seconds * float(clip.rate))
    else:
        choose = by_content(store, [place.analyser for place in places], clip.rate, settings)
    all_qps = None
    # In HEVC the quality of pictures coded with reordering was not compared with that of others.
    may_code_all = clip.codec == "vvc" and clip.options.fallback != "never"
    if may_code_all and settings.coded_price is not None:
        # Not that of --fallback-qp, which is of pictures without a face: smaller is no better here.
        all_qps = SequenceQps(predicted=all_coded_qp(settings, clip.codec))
    facts = TrackedFacts([place.analyser for place in places], clip.rate, store)
    layout, decisions = clip.model.layout, clip.symbol_settings(settings)
    messages = [
        SequenceMessages(layout, clip.card, decisions, FIRST_GFV_ID + number)
        for number in range(len(places))
    ]
    grids = None
    if CONTROL_GRIDS not in clip.options.without:
        grids = GridChoice(store, clip.rate, grid_multiplier(settings, clip.coding))
    segments = SegmentCoder(
        places,
        messages,
        clip.rate,
        store,
        base,
        qps,
        writer,
        choose,
        work,
        all_qps=all_qps,
        grids=grids,
        reordered=clip.options.reorder,
        post_filter=clip.post_filter(settings),
        chooses_filter=clip.chooses_filter(settings),
    )
    refusal = clip.too_coarse() if clip.options.fallback == "never" else None
    executor = SequenceExecutor(store, segments, ordinary, facts.place, refusal)
    return Pass(clip.plan_settings(), facts, executor, base)
