"""Training of animation networks: clips, pairs, losses and the loop.

The loop knows nothing of the network it trains: that is the part of a `TrainingTask`. What is
here is light; PyTorch is loaded by `models.training.run`, which holds `train`.
"""

from __future__ import annotations

from models.errors import TrainingError
from models.training.configuration import Augmentation, LossWeights, TrainingConfiguration

__all__ = ["Augmentation", "LossWeights", "TrainingConfiguration", "TrainingError"]
