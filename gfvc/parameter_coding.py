"""Between a model's face parameters and generative face video messages.

Values that are sent at once are quantised here; those that are decided about come quantised from
`gfvc.symbol_decisions`. Integers are what the encoder predicts from and the decoder receives, bit
for bit the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from gfvc.errors import StreamError
from models import FaceParameters, ModelCard, ParameterLayout
from models.contract import FloatArray, IntegerArray
from sei import (
    GENERATIVE_FACE_VIDEO,
    FaceValues,
    GenerativeFaceVideo,
    GfvState,
    MatrixValues,
    NetworkUri,
    SeiMessage,
)
from sei.face_messages import Network

FIRST_GFV_ID = 0
"""Of a clip's first face; further ones have those that follow."""

# A change of less than half a step plus this share of one is not sent: trackers tremble, and a
# zero costs 2 bits where a step costs 5. Larger changes are rounded to nearest.
DEAD_ZONE = 0.2


def quantise(
    values: FloatArray, precision: int | IntegerArray, previous: IntegerArray | None
) -> IntegerArray:
    """Integers in steps of 2**-precision; small changes against `previous` are left out.

    `precision` is one for all values, or one for each.
    """
    scaled = values * 2.0**precision
    if previous is None:
        return np.asarray(np.rint(scaled), np.int64)
    change = scaled - previous
    bias = np.where(np.abs(change) < 1.5, 0.5 - DEAD_ZONE, 0.5)
    steps = np.sign(change) * np.floor(np.abs(change) + bias)
    return np.asarray(previous + steps, np.int64)


def to_values(
    parameters: FaceParameters, layout: ParameterLayout, previous: FaceValues | None = None
) -> FaceValues:
    """Quantise face parameters of a layout."""
    before = None if previous is None else to_integers(previous)
    return to_face_values(quantise(layout.flatten(parameters), layout.precisions, before), layout)


def to_integers(values: FaceValues) -> IntegerArray:
    """The vector of what a message carries, in quantisation steps: keypoints, then matrices."""
    return np.array([number for _, row in rows_of(values) for number in row], np.int64)


def rows_of(values: FaceValues) -> Iterator[tuple[int, tuple[int, ...]]]:
    """What a message carries, row by row in the order of the vector, each after its precision."""
    for point in values.keypoints or ():
        yield values.keypoint_precision_factor or 0, point
    for matrices in values.matrices:
        for matrix in matrices.matrices:
            for row in matrix:
                yield matrices.precision_factor, row


def to_face_values(
    vector: IntegerArray, layout: ParameterLayout, *, keypoints: bool = True, matrices: bool = True
) -> FaceValues:
    """What a message carries of a vector [size] in quantisation steps, in the nested form of `sei`.

    Without `keypoints` or `matrices` it leaves those out.
    """
    points, arrays = layout.split(vector)
    sent = None if points is None or not keypoints else tuple(map(tuple, points.tolist()))
    return FaceValues(
        sent,
        None if sent is None else layout.coordinate_precision,
        tuple(
            MatrixValues(
                kind,
                layout.matrix_precision,
                tuple(tuple(map(tuple, matrix)) for matrix in array.tolist()),
            )
            for kind, array in (arrays if matrices else ())
        ),
    )


def to_parameters(values: FaceValues, layout: ParameterLayout, source: Path) -> FaceParameters:
    """Face parameters of received values; raise `StreamError` when they have another layout."""
    keypoints = None
    if values.keypoints is not None:
        assert values.keypoint_precision_factor is not None
        keypoints = np.array(values.keypoints, np.float64)
        keypoints *= 2.0**-values.keypoint_precision_factor
    shape = (0, 0) if keypoints is None else keypoints.shape
    wanted = (layout.keypoints, layout.dimensions) if layout.keypoints else (0, 0)
    found = [
        (m.type_idx, len(m.matrices), len(m.matrices[0]), len(m.matrices[0][0]))
        for m in values.matrices
    ]
    expected = [(m.matrix_type, *m.shape) for m in layout.matrices]
    if shape != wanted or found != expected:
        raise StreamError(
            f"{source}: a message carries {shape[0]} keypoints and matrices {found} (type, count, "
            f"height, width); its model wants {wanted[0]} keypoints and {expected}"
        )
    matrices = tuple(
        (matrix.matrix_type, np.array(m.matrices, np.float64) * 2.0**-m.precision_factor)
        for matrix, m in zip(layout.matrices, values.matrices, strict=True)
    )
    return FaceParameters(keypoints, matrices)


def restated(
    state: GfvState,
    message: GenerativeFaceVideo,
    values: FaceValues,
    *,
    gfv_cnt: int,
    network: Network | None,
    z_max_value: int = 1,
) -> bytes:
    """The payload of a message like another one, which gives a receiver other values.

    `state` is that of the receiver, which goes on. `gfv_cnt`, `network` and the greatest depth of
    keypoints take the place of the message's own; all else stays as it is. Raises `MessageError`
    for values that cannot be sent.
    """
    predicted = state.predict(
        values,
        gfv_id=message.gfv_id,
        gfv_cnt=gfv_cnt,
        base_picture_flag=message.base_picture_flag,
        z_max_value=z_max_value,
        network=network,
        chroma_key=message.chroma_key,
        drive_picture_fusion_flag=message.drive_picture_fusion_flag,
        low_confidence_face_parameter_flag=message.low_confidence_face_parameter_flag,
    )
    return state.write(replace(predicted, extension=message.extension))


class ParameterCoder:
    """Turns the parameters of a face of a clip into messages, predicted in a closed loop."""

    def __init__(
        self, layout: ParameterLayout, card: ModelCard, gfv_id: int = FIRST_GFV_ID
    ) -> None:
        self._gfv_id = gfv_id
        self._layout = layout
        self._network = NetworkUri(card.tag, card.uri)
        self._state = GfvState()
        self._previous = FaceValues()
        self._count = 0
        self._names_network = True

    def start(self, *, names_network: bool = True) -> None:
        """Start a picture unit: the next message is its base message.

        It may leave out which network it is for, where an earlier one has said so.
        """
        self._count = 0
        self._names_network = names_network

    def base(self, parameters: FaceParameters) -> SeiMessage:
        """The base message of a key picture: where prediction starts, and which model to use."""
        self.start()
        return self._message(to_values(parameters, self._layout))

    def driven(self, parameters: FaceParameters) -> SeiMessage:
        """The message of a driven picture."""
        return self._message(to_values(parameters, self._layout, self._previous))

    def decided(self, values: FaceValues, *, low_confidence: bool = False) -> SeiMessage:
        """The next message, with values that were decided elsewhere; it may leave out some."""
        return self._message(values, low_confidence=low_confidence)

    def repeated(self) -> SeiMessage:
        """The message of a picture without a face: as before, and marked of low confidence."""
        return self._message(self._previous, low_confidence=True)

    def _message(self, values: FaceValues, *, low_confidence: bool = False) -> SeiMessage:
        base = self._count == 0
        message = self._state.predict(
            values,
            gfv_id=self._gfv_id,
            gfv_cnt=self._count,
            base_picture_flag=base,
            network=self._network if base and self._names_network else None,
            low_confidence_face_parameter_flag=low_confidence,
        )
        payload = self._state.write(message)
        self._previous = self._state.values
        self._count += 1
        return SeiMessage(GENERATIVE_FACE_VIDEO, payload)
