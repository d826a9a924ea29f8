"""FOMM in the codec: keypoints, and their Jacobians as affine matrices (type 0)."""

from __future__ import annotations

import torch
from torch import Tensor

from models.contract import AFFINE, Analysis, FaceParameters
from models.errors import ModelError
from models.published.fomm.network import Fomm, FommKeypoints, inverse_2x2
from models.published.model import Draw, NetworkModel, to_array


class FommModel(NetworkModel):
    """Keypoints [10, 2] and Jacobians [10, 2, 2]; the decoder needs the generator only."""

    _network: Fomm

    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        found: FommKeypoints = self._network.kp_detector(picture)
        jacobians = to_array(found.jacobians)
        return Analysis(FaceParameters(to_array(found.positions), ((AFFINE, jacobians),)))

    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        generator = self._network.generator
        source = generator.encode_source(picture)
        source_keypoints = self._keypoints(key)

        def draw(parameters: FaceParameters) -> Tensor:
            driving = self._keypoints(parameters)
            if generator.conventions.use_jacobians:
                self._require_invertible(driving.jacobians)
            return generator.animate(source, source_keypoints, driving)

        return draw

    def _keypoints(self, parameters: FaceParameters) -> FommKeypoints:
        assert parameters.keypoints is not None
        (_, jacobians), *_ = parameters.matrices
        return FommKeypoints(self.values(parameters.keypoints), self.values(jacobians))

    def _require_invertible(self, jacobians: Tensor) -> None:
        # Sampling takes positions that are not numbers for positions outside the picture, so that
        # the picture would not tell.
        finite = inverse_2x2(jacobians)[0].isfinite().flatten(1).all(dim=1)
        if not finite.all():
            keypoint = int(torch.nonzero(~finite)[0])
            raise ModelError(
                f"{self.name}: the received Jacobian of keypoint {keypoint} is singular, so that "
                "no picture can be drawn"
            )
