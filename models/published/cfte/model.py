"""CFTE in the codec: one compact feature (matrix type 7)."""

from __future__ import annotations

from torch import Tensor

from models.contract import COMPACT_FEATURE, Analysis, FaceParameters
from models.published.cfte.network import Cfte
from models.published.model import Draw, NetworkModel, to_array


class CfteModel(NetworkModel):
    """One feature map [1, 4, 4]; the decoder needs the generator only."""

    _network: Cfte

    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        feature = to_array(self._network.kp_detector(picture))
        return Analysis(FaceParameters(matrices=((COMPACT_FEATURE, feature),)))

    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        generator = self._network.generator
        source = generator.encode_source(picture)
        source_feature = self._feature(key)
        return lambda parameters: generator.animate(
            source, source_feature, self._feature(parameters)
        )

    def _feature(self, parameters: FaceParameters) -> Tensor:
        (_, feature), *_ = parameters.matrices
        return self.values(feature)
