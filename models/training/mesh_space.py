"""The face space of the `mesh` model, which training takes poses and mirrored landmarks from."""

from __future__ import annotations

from models.mesh.card import CARD
from models.mesh.face_space import FaceSpace, load_face_space
from models.mesh.fit import mirror_order
from models.training.augmentation import MirrorOrder


def load_mesh_space() -> FaceSpace:
    """The face space that ships with `mesh`."""
    path = CARD.path
    assert path is not None
    return load_face_space(path, CARD.sha256)


def landmark_mirror() -> MirrorOrder:
    """For each of the 478 landmarks the number of its mirror landmark."""
    return mirror_order(load_mesh_space().mean)
