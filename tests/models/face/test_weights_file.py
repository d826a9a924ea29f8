"""What a weights file of the face network says of itself is checked before a network is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models import CheckpointError
from models.face.torch_rendering import load_face_network
from models.files import MAX_HEADER

SOUND: dict[str, Any] = {"channels": [4, 4, 8], "motion_channels": 4, "bottleneck_blocks": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"bottleneck_blocks": 10**9},
        {"bottleneck_blocks": 1.0},
        {"bottleneck_blocks": True},
        {"motion_channels": 10**6},
        {"channels": [4, 4, 8.0]},
        {"channels": [4, 4, "8"]},
        {"channels": [4, 4]},
        {"heat_map_width": float("nan")},
        {"heat_map_width": "0.1"},
        {"residual_reach": float("inf")},
        {"compact_features": -1},
        {"unknown": 1},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    metadata = {"configuration": json.dumps(SOUND | changes)}
    save_file({"w": torch.zeros(1)}, path, metadata)
    with pytest.raises(CheckpointError, match="has no configuration of a face network"):
        load_face_network(path)


def test_a_header_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    header = b"{" + b" " * MAX_HEADER + b"}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match="its header has"):
        load_face_network(path)
