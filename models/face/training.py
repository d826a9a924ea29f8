"""Training the `face` network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.contract import Picture
from models.errors import TrainingError
from models.face.blocks import FaceConfiguration
from models.face.motion import DETAIL_PARTS, MOTION_STEP, enlarge, heat_maps
from models.face.network import FaceNetwork, KeyFeatures
from models.family import TaskOptions
from models.landmarks.alignment import Alignment
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.flow import coarse_flow
from models.landmarks.values import quantised, rest_face
from models.training.augmentation import Pair
from models.training.footage import Landmarks
from models.training.losses import rate_loss, round_through
from models.training.task import Batch, Outputs

COMPACT_PRECISION = 8
_IMPORTANCE_WIDTH = 0.035


def coded_landmarks(
    space: FaceSpace, key: Picture, key_face: Landmarks, picture: Picture, face: Landmarks
) -> Landmarks:
    """Landmarks [478, 3] as a decoder rebuilds them: aligned with the key picture, and coded.

    `key_face` and `face` are those that were tracked in the key and the driven picture.
    """
    rest, _ = rest_face(space, key_face.astype(np.float64))
    # Without the tracker, which would take longer than all the rest of preparing a pair.
    alignment = Alignment(space, key, rest, look=None)
    values = quantised(alignment.align(picture, face.astype(np.float64)))
    return rest.landmarks(space, values).astype(np.float32)


@torch.no_grad()
def importance(landmarks: Tensor, size: int, detail_weight: float) -> Tensor:
    """Weight of each pixel, 1 and up to `detail_weight` more at lips and eyes: [B, 1, S, S].

    `landmarks` are [B, 478, 2] in picture widths.
    """
    maps = heat_maps(landmarks, size // MOTION_STEP, _IMPORTANCE_WIDTH, DETAIL_PARTS)
    return 1 + detail_weight * enlarge(maps.amax(dim=1, keepdim=True), size)


@dataclass(frozen=True)
class FaceTask:
    """Trains a `FaceNetwork` on landmarks as the stream carries them.

    Attributes:
        configuration: of the network.
        coded_share: share of training pairs, 0..1, whose driven landmarks went through the
            encoder's alignment and quantised parameters; the others keep what was tracked.
            Validation pairs all go through them.
        warp_weight: of the difference between warped key picture and target.
        rate_weight: of a bit of compact feature a picture.
        unsent_share: share of training pictures, 0..1, that are drawn without any compact
            feature; of the others, the first 1 to K values are sent, each number as often.
        values_sent: values of the compact feature in validation, 0..K.
        detail_weight: extra weight of pixels at the lips and eyes.

    Raises:
        TrainingError: more values are to be sent than there are.
    """

    configuration: FaceConfiguration = field(default_factory=FaceConfiguration)
    coded_share: float = 0.75
    warp_weight: float = 1.0
    rate_weight: float = 2e-4
    unsent_share: float = 0.4
    values_sent: int = 0
    detail_weight: float = 3.0
    space: FaceSpace = field(default_factory=shipped_face_space, repr=False)
    name: str = "face"

    def __post_init__(self) -> None:
        count = self.configuration.compact_features
        if not 0 <= self.values_sent <= count:
            raise TrainingError(f"{self.values_sent} values to send; the network has {count}")

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The warp's loss, and the rate where there is a compact feature."""
        return ("warp", "rate") if self.configuration.compact_features else ("warp",)

    @property
    def codes_differences(self) -> bool:
        """Values of the compact feature are sent as differences to the previous picture's."""
        return self.configuration.compact_features > 0

    def check_size(self, size: int) -> None:
        """Any multiple of 32, which the trainer sees to."""

    def build_network(self) -> FaceNetwork:
        """A new network."""
        return FaceNetwork(self.configuration)

    def metadata(self) -> dict[str, str]:
        """The configuration as JSON."""
        return {"configuration": json.dumps(asdict(self.configuration))}

    def prepare(
        self, pair: Pair, random: np.random.Generator | None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Landmarks [478, 2] that the network gets to see, and their coarse flow."""
        coded = random is None or random.random() < self.coded_share
        prepared = self._inputs("", pair, pair.driven, pair.driven_landmarks, coded=coded)
        if pair.previous is not None and pair.previous_landmarks is not None:
            # As the driven one's: the difference of the two must not be that of coded and tracked.
            previous = self._inputs(
                "previous_", pair, pair.previous, pair.previous_landmarks, coded=coded
            )
            prepared.update(previous)
        return prepared

    def _inputs(
        self, name: str, pair: Pair, picture: Picture, landmarks: Landmarks, *, coded: bool
    ) -> dict[str, npt.NDArray[np.float32]]:
        if coded:
            landmarks = coded_landmarks(
                self.space, pair.key, pair.key_landmarks, picture, landmarks
            )
        plane = np.ascontiguousarray(landmarks[:, :2])
        key = np.ascontiguousarray(pair.key_landmarks[:, :2])
        return {
            f"{name}landmarks": plane,
            f"{name}flow": coarse_flow(key, plane, pair.key.shape[0]),
        }

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        """Draw the driven pictures."""
        assert isinstance(network, FaceNetwork)
        losses: dict[str, Tensor] = {}
        key = network.encode_key(batch.key, batch.key_landmarks[..., :2])
        flow = batch.extras["flow"]
        compact = None
        if network.analysis is not None:
            compact, rate = self._measure(network, batch, key)
            losses["rate"] = self.rate_weight * rate
        part = None if batch.window is None else batch.window.cut
        drawing = network.draw(key, batch.extras["landmarks"], flow, compact, part)
        size = batch.driven.shape[-1]

        def cut(planes: Tensor) -> Tensor:
            return planes if part is None else part(planes, size)

        target = cut(batch.driven)
        losses["warp"] = self.warp_weight * (drawing.warped - target).abs().mean()
        return Outputs(
            drawing.picture,
            target,
            drawing.warped,
            cut(importance(batch.driven_landmarks[..., :2], size, self.detail_weight)),
            losses,
        )

    def _measure(
        self, network: FaceNetwork, batch: Batch, key: KeyFeatures
    ) -> tuple[Tensor, Tensor]:
        """Compact features [B, K] as the decoder gets them, and their bits a picture."""
        extras = batch.extras
        values = network.analyse(batch.driven, key.picture, extras["landmarks"], extras["flow"])
        numbers = torch.arange(values.shape[1], device=values.device)
        if not network.training:
            return values.round() * (numbers < self.values_sent), values.new_zeros(())
        assert batch.previous is not None
        previous = network.analyse(
            batch.previous, key.picture, extras["previous_landmarks"], extras["previous_flow"]
        )
        sent = torch.randint(1, values.shape[1] + 1, (len(values), 1), device=values.device)
        sent = sent * (torch.rand(len(values), 1, device=values.device) >= self.unsent_share)
        mask = (numbers < sent).float()
        # Uniform noise stands for rounding where gradients are wanted (Ballé et al., "End-to-end
        # optimized image compression", 2017); the rate is that of the rounded difference.
        noisy = values + torch.rand_like(values) - 0.5
        difference = round_through(values) - round_through(previous)
        return noisy * mask, rate_loss(difference * mask, COMPACT_PRECISION)


def task(options: TaskOptions) -> FaceTask:
    """The task of a network with so many compact features; `TrainingError` for too many."""
    try:
        configuration = FaceConfiguration(compact_features=options.compact_features)
    except ValueError as error:
        raise TrainingError(str(error)) from None
    return FaceTask(configuration, values_sent=options.values_sent)
