"""What the codec's models that are networks have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from models.card import ModelCard
from models.contract import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
)
from models.errors import ModelError
from models.landmarks.analysis import TrackingAnalyser
from models.landmarks.face_space import shipped_face_space
from models.runtime import Runtime, torch_device

PICTURE_SIZE = 256
"""Width and height of the pictures that the published weights were trained for."""

Draw = Callable[[FaceParameters], Tensor]
"""Draws the prediction [1, 3, H, W] in 0..1 for parameters of the right layout."""


def to_array(tensor: Tensor) -> FloatArray:
    """A tensor of batch 1 as face parameters have it, without the batch."""
    array: FloatArray = tensor[0].double().cpu().numpy()
    return array


class NetworkModel(AnimationModel):
    """An animation model whose analysis and synthesis are networks.

        picture ── / 255 ──► _describe ──► parameters       [face tracker: is there a face?]
        key picture ── / 255, base parameters ──► _prepare ──► Draw ──► floor(255 · prediction)

    A model implements `_describe` and `_prepare` on tensors, and says which class its `_network`
    is of; sizes, layouts, devices and values that are not finite are taken care of here.
    """

    def __init__(self, network: nn.Module, card: ModelCard, runtime: Runtime = Runtime()) -> None:
        self._card = card
        self.device = torch_device(runtime.device)
        self._bfloat16 = runtime.bfloat16
        self._network = network.eval().requires_grad_(False).to(self.device)

    @property
    def layout(self) -> ParameterLayout:
        """The layout on the model's card."""
        return self._card.layout

    @property
    def name(self) -> str:
        """The name on the model's card."""
        return self._card.name

    @abstractmethod
    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        """Analyse a picture [1, 3, H, W]; `key` is None for a key picture itself."""

    @abstractmethod
    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        """Do what a key picture [1, 3, H, W] needs once."""

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start the analysis of a clip; raise `ModelError` when asked to align faces."""
        if align:
            raise ModelError(f"{self.name} tracks no landmarks that could be aligned")
        return NetworkAnalyser(self)

    def describe(self, picture: Picture, key: Analysis | None) -> Analysis:
        """Analyse a picture; raise `ModelError` for another size or values that are not finite."""
        with torch.inference_mode():
            analysis = self._describe(self.to_tensor(picture), key)
        if not np.isfinite(self.layout.flatten(analysis.parameters)).all():
            raise ModelError(f"{self.name}: the analysis of a picture is not finite")
        return analysis

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Encode the key picture once; `animate` then costs the rest."""
        if key_parameters is None:
            raise ModelError(f"{self.name}: a key picture needs the parameters of its base message")
        self.check_layout(key_parameters)
        with torch.inference_mode():
            return NetworkReference(
                self, self._prepare(self.to_tensor(key_picture), key_parameters)
            )

    def check_size(self, picture: Picture) -> None:
        """Raise `ModelError` for a picture of another size than the network's."""
        height, width = picture.shape[:2]
        if (height, width) != (PICTURE_SIZE, PICTURE_SIZE):
            raise ModelError(
                f"{self.name} works on pictures of {PICTURE_SIZE}x{PICTURE_SIZE} only, not "
                f"{width}x{height}; encode with --size {PICTURE_SIZE}"
            )

    def check_layout(self, parameters: FaceParameters) -> None:
        """Raise `ModelError` when parameters do not have the layout of the model."""
        try:
            self.layout.check(parameters)
        except ModelError as error:
            raise ModelError(f"{self.name} {error}") from None

    def to_tensor(self, picture: Picture) -> Tensor:
        """A picture as the networks have it, [1, 3, H, W] in 0..1."""
        self.check_size(picture)
        planar = np.ascontiguousarray(picture.transpose(2, 0, 1))
        return torch.from_numpy(planar).to(self.device).float().unsqueeze(0) / 255

    def values(self, array: FloatArray) -> Tensor:
        """Face parameters as the networks have them, with a batch of 1."""
        return torch.from_numpy(array).to(self.device, torch.float32).unsqueeze(0)

    def draw(self, draw: Draw, parameters: FaceParameters) -> Picture:
        """The picture that parameters describe, truncated to 8 bits as the JVET software does."""
        self.check_layout(parameters)
        precision = torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16)
        with torch.inference_mode(), precision:
            prediction = draw(parameters).float()
            if not prediction.isfinite().all():
                raise ModelError(f"{self.name}: the received parameters make no finite picture")
            planar = (255 * prediction[0]).to(torch.uint8).cpu().numpy()
        return np.ascontiguousarray(planar.transpose(1, 2, 0))


class NetworkAnalyser(TrackingAnalyser):
    """Asks a face tracker whether there is a face, which the networks cannot tell, then a network.

    They describe any picture; a lost face has to be noticed in the same way for all models.
    """

    def __init__(self, model: NetworkModel) -> None:
        super().__init__(shipped_face_space())
        self._model = model

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face."""
        self._model.check_size(picture)
        return super().finds_face(picture)

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Parameters of a decoded key picture."""
        self._model.check_size(picture)
        return None if self.key_landmarks(picture) is None else self._model.describe(picture, None)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Parameters of a driven picture."""
        return self._model.describe(picture, key) if self.finds_face(picture) else None


class NetworkReference(Reference):
    """A key picture whose features are computed."""

    def __init__(self, model: NetworkModel, draw: Draw) -> None:
        self._model = model
        self._draw = draw

    def animate(self, parameters: FaceParameters) -> Picture:
        """Warp the features of the key picture and complete them."""
        return self._model.draw(self._draw, parameters)
