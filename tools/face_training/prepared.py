"""The form in which a prepared clip lies on disk: two videos and a table.

`NAME.pictures.mkv` has the pictures to be drawn. `NAME.coded.hevc` has the coded pictures, one
after the other. `NAME.npz` says which are which, and has no pickled objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from models.errors import TrainingError

NO_PICTURE = -1
# Landmarks are kept in 16 bits: 0..1 inside the picture, and half a picture more on each side.
_LOWEST, _REACH = -0.5, 2.0


@dataclass(frozen=True, slots=True)
class PreparedClip:
    """What driven pictures of a clip are drawn from, and where they lie.

    Attributes:
        identity: whom the clip shows.
        split: "train" or "validation".
        coded_faces: landmarks [C, 478, 3] of the coded pictures, in picture widths and heights.
        later_values: [C, 14], pose and expression of a coded picture against the one before it,
            where the two are references of the same pictures; 0 elsewhere.
        references: [N, 2], numbers of the coded pictures that a driven picture is drawn from; the
            second is `NO_PICTURE` where there is one reference.
        positions: [N], 0..1, where a driven picture lies between its references.
        driven: [N], the number of the picture to be drawn. Rows 2i and 2i + 1 follow each other in
            time.
        values: [N, 14], pose and expression against the first reference, quantised.
    """

    identity: str
    split: str
    coded_faces: npt.NDArray[np.float64]
    later_values: npt.NDArray[np.float64]
    references: npt.NDArray[np.int32]
    positions: npt.NDArray[np.float64]
    driven: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write the table."""
        faces = np.clip((self.coded_faces - _LOWEST) / _REACH, 0, 1)
        np.savez_compressed(
            path,
            identity=np.array(self.identity),
            split=np.array(self.split),
            coded_faces=np.round(faces * 65535).astype(np.uint16),
            later_values=self.later_values.astype(np.float32),
            references=self.references,
            positions=self.positions,
            driven=self.driven,
            values=self.values.astype(np.float32),
        )


def load_prepared(path: Path) -> PreparedClip:
    """Read a table that `PreparedClip.save` wrote; raise `TrainingError` for a damaged one."""
    try:
        with path.open("rb") as file:
            table = dict(np.load(file, allow_pickle=False))
        return PreparedClip(
            str(table["identity"]),
            str(table["split"]),
            table["coded_faces"].astype(np.float64) / 65535 * _REACH + _LOWEST,
            table["later_values"].astype(np.float64),
            table["references"],
            table["positions"],
            table["driven"],
            table["values"].astype(np.float64),
        )
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
        raise TrainingError(f"{path}: no prepared clip that can be read ({error})") from None
