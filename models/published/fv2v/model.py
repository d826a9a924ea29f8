"""FV2V in the codec, in two layouts: head pose with expression, or 3-D keypoints.

With pose and expression the decoder finds the canonical keypoints in the decoded key picture. With
keypoints it needs none, because it receives them in their final place; the encoder looks for
the canonical ones instead.
"""

from __future__ import annotations

from torch import Tensor

from models.card import ModelCard
from models.contract import (
    COMPACT_FEATURE,
    HEAD_ROTATION,
    HEAD_TRANSLATION,
    Analysis,
    FaceParameters,
)
from models.published.fv2v.network import Fv2v
from models.published.fv2v.pose import Fv2vPose
from models.published.model import Draw, NetworkModel, to_array
from models.runtime import Runtime


class Fv2vModel(NetworkModel):
    """Rotation [1, 3, 3] (type 4), translation [1, 3, 1] (type 5), expression [1, 15, 3] (type 7).

    The rotation is used as received: after quantisation it is not quite orthonormal.
    """

    _network: Fv2v

    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        pose: Fv2vPose = self._network.he_estimator(picture).pose()
        matrices = (
            (HEAD_ROTATION, to_array(pose.rotation)[None]),
            (HEAD_TRANSLATION, to_array(pose.translation).reshape(1, 3, 1)),
            (COMPACT_FEATURE, to_array(pose.expression)[None]),
        )
        return Analysis(FaceParameters(matrices=matrices))

    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        generator = self._network.generator
        canonical = self._network.kp_detector(picture)
        source = generator.encode_source(picture)
        source_keypoints = self._pose(key).keypoints(canonical)
        return lambda parameters: generator.animate(
            source, source_keypoints, self._pose(parameters).keypoints(canonical)
        )

    def _pose(self, parameters: FaceParameters) -> Fv2vPose:
        rotation, translation, expression = (
            self.values(values[0]) for _, values in parameters.matrices
        )
        return Fv2vPose(rotation, translation[..., 0], expression)


class Fv2vKeypointModel(NetworkModel):
    """Keypoints [15, 3] in their final place."""

    _network: Fv2v

    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        canonical: Tensor = self._network.kp_detector(picture) if key is None else key.detail
        pose: Fv2vPose = self._network.he_estimator(picture).pose()
        return Analysis(FaceParameters(to_array(pose.keypoints(canonical))), canonical)

    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        generator = self._network.generator
        source = generator.encode_source(picture)
        source_keypoints = self._keypoints(key)
        return lambda parameters: generator.animate(
            source, source_keypoints, self._keypoints(parameters)
        )

    def _keypoints(self, parameters: FaceParameters) -> Tensor:
        assert parameters.keypoints is not None
        return self.values(parameters.keypoints)


def wrap(network: Fv2v, card: ModelCard, runtime: Runtime = Runtime()) -> NetworkModel:
    """The model of a network in the layout of a card."""
    return (Fv2vKeypointModel if card.layout.keypoints else Fv2vModel)(network, card, runtime)
