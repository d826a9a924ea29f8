"""Messages of the pictures between coded ones: which, and with which values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate

from gfvc.parameter_coding import FIRST_GFV_ID, ParameterCoder
from gfvc.symbol_decisions.access_unit import (
    DecidedUnit,
    Faces,
    base_message_bytes,
    decide_unit,
    interpolation_cost,
)
from gfvc.symbol_decisions.decision import SymbolSettings
from gfvc.symbol_decisions.face_parts import of_parts
from models import FaceParameters, ModelCard, ParameterLayout
from models.contract import FloatArray
from sei import FaceValues, SeiMessage

SEI_NAL_UNIT_BYTES = 7
"""Start code, header and trailing bits of an SEI NAL unit, and what its last byte leaves empty."""


@dataclass(frozen=True, slots=True)
class UnitFaces:
    """Faces of a coded picture and of what it drives, as numbered in `SequenceSchedule`.

    `key` are the parameters of the coded picture, `leading` of the pictures shown before it,
    backwards, `driven` of those after it; None without a face. `weights` are
    `AnimationModel.value_weights`. `end` is what a receiver knows of the next coded picture,
    None where pictures are drawn from this one alone.
    """

    key: FaceParameters
    weights: FloatArray | None = None
    leading: Faces = ()
    driven: Faces = ()
    end: FaceParameters | None = None


@dataclass(frozen=True, slots=True)
class UnitMessages:
    """Messages of a coded picture, the base message first; `sent` numbers the others' pictures.

    `values` are what each gives a receiver.
    """

    sent: tuple[int, ...]
    messages: tuple[SeiMessage, ...]
    values: tuple[FaceValues, ...]


class SequenceMessages:
    """Decides about a face in sequences, coded picture by coded picture, in stream order.

    All messages have the precision of the model's layout: some decoders of the standard's messages
    cannot follow a layout that changes from one base message to the next.
    """

    def __init__(
        self,
        layout: ParameterLayout,
        card: ModelCard,
        settings: SymbolSettings,
        gfv_id: int = FIRST_GFV_ID,
    ) -> None:
        self._layout = layout
        self._coder = ParameterCoder(layout, card, gfv_id)
        switches = replace(settings.switches, precision=False)
        self._settings = replace(settings, switches=switches)

    def of_unit(self, unit: UnitFaces, *, names_model: bool) -> UnitMessages:
        """Messages of a coded picture, whose base message names the model or not.

        There are none where the pictures go nearly straight to the next coded picture, unless
        they are due at an interval; but what names the model is sent.
        """
        runs = [[unit.key, *unit.leading], [unit.key, *unit.driven]]
        decided = decide_unit(
            runs, self._layout, [unit.weights] * 2, self._settings, [None, unit.end]
        )
        if not names_model and unit.end is not None and self._goes_straight(unit, decided):
            return UnitMessages((), (), ())
        self._coder.start(names_network=names_model)
        messages: list[SeiMessage] = []
        received: list[FaceValues] = []
        sent: list[int] = []
        starts = accumulate((len(unit.leading),), initial=0)
        for start, faces, run in zip(starts, runs, decided.runs, strict=True):
            for picture in run.pictures:
                if picture == 0 and messages:
                    continue  # Both go on from the coded picture.
                values = of_parts(run.at(picture), decided.layout)
                low_confidence = faces[picture] is None
                messages.append(self._coder.decided(values, low_confidence=low_confidence))
                received.append(values)
                if picture:
                    sent.append(start + picture)
        return UnitMessages(tuple(sent), tuple(messages), tuple(received))

    def _goes_straight(self, unit: UnitFaces, decided: DecidedUnit) -> bool:
        """Whether leaving all messages out costs less than sending what was decided."""
        assert unit.end is not None
        if self._settings.switches.interval is not None:
            return False
        run = [unit.key, *unit.driven]
        unsent = interpolation_cost(run, self._layout, unit.weights, unit.end)
        if len(decided.runs[1].pictures) == 1:
            return True
        base = base_message_bytes(unit.key, self._layout) + SEI_NAL_UNIT_BYTES
        return unsent <= decided.cost + 8 * self._settings.multiplier * base
