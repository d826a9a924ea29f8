"""An animated head as a binary glTF file: a node that moves, a face of landmarks that changes.

The mesh is the person's face at rest, 478 landmarks and their triangles, in metres. A morph target
is one of the eight expressions of the face space, its weight the value that the stream has for it.
The head's node turns, moves and grows as the face does in the pictures; seen by the camera in the
file, which is orthographic as the model of the stream is, it is where it was filmed.

glTF interpolates straight between key frames, as the stream does between messages. So key frames
stand at messages and coded pictures, and where what is drawn from changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gfvc.errors import OutputError
from gfvc.exporting.head import AXES, metres, places, turns
from gfvc.exporting.motion import HeadMotion, Motion, RestHead
from gfvc.exporting.reading import BETWEEN
from gfvc.picture_strip import png
from models.contract import FloatArray, IntegerArray, Picture
from models.landmarks.face_space import FaceSpace
from models.landmarks.triangles import (
    Triangles,
    eye_triangles,
    face_triangles,
    mouth_triangles,
)

if TYPE_CHECKING:
    import pygltflib

# How the camera stands before a head: nothing of either is cut off.
_CAMERA_METRES, _FAR_METRES = 1.0, 10.0
# A grey of clay: nobody's skin. Eyes are whiter, the inside of a mouth is dark.
_CLAY, _WHITE, _DARK = [0.60, 0.58, 0.56, 1.0], [0.95, 0.95, 0.95, 1.0], [0.05, 0.03, 0.03, 1.0]
_UNLIT = "KHR_materials_unlit"


def key_frames(motion: Motion, head: HeadMotion) -> IntegerArray:
    """Pictures between which what is known goes straight: numbers [n], rising."""
    known = head.known
    apart = np.diff(known) > 1
    changes = np.diff(np.array(motion.against)[known]) != 0
    breaks = np.concatenate([[True], apart | changes, [True]])
    stated = np.array([motion.kinds[picture] != BETWEEN for picture in known], bool)
    found: IntegerArray = known[stated | breaks[:-1] | breaks[1:]]
    return found


def load_library(path: Path) -> Any:
    """The library that writes glTF; raise `OutputError` for `path` when it is not installed."""
    try:
        import pygltflib
    except ImportError:
        raise OutputError(
            f"{path}: glTF is written by pygltflib, which is not installed: pip install "
            "'gfvc[avatar]'"
        ) from None
    return pygltflib


def write_glb(path: Path, motion: Motion, head: HeadMotion, space: FaceSpace, texture: bool) -> int:
    """Write the motion of a head; return the number of key frames.

    With `texture` the face shows the key picture, which `head.rest` must have. Raises as
    `load_library` does.
    """
    pygltflib = load_library(path)
    frames = key_frames(motion, head)
    file = _Builder(pygltflib)
    unit = metres(head.rest.shape)
    targets = space.basis[: head.expression.shape[1]]
    _add_mesh(file, head.rest, targets, unit, texture=texture)
    _add_camera(file, unit / float(np.exp(head.pose[frames[0], 5])))
    times = file.add((frames / float(motion.rate)).astype(np.float32), bounds=True)
    _add_animation(file, times, head.pose[frames], head.expression[frames], unit)
    file.document.set_binary_blob(bytes(file.blob))
    file.document.buffers = [pygltflib.Buffer(byteLength=len(file.blob))]
    file.document.save_binary(str(path))
    return len(frames)


class _Builder:
    """A document that grows: arrays go into its buffer, each with a view and an accessor."""

    _TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}  # noqa: RUF012 - never changed

    def __init__(self, library: Any) -> None:
        self.library = library
        self.blob = bytearray()
        self.document: pygltflib.GLTF2 = library.GLTF2(
            asset=library.Asset(generator="gfvc"), scene=0, scenes=[library.Scene(nodes=[0, 1])]
        )

    def add(
        self, array: npt.NDArray[Any], *, bounds: bool = False, target: int | None = None
    ) -> int:
        """The number of the accessor of an array [n] or [n, 2..4], float32 or uint16.

        `bounds` says that smallest and largest are to be told; `target` what a renderer does with
        the array.
        """
        library = self.library
        flat = array.reshape(len(array), -1)
        is_float = array.dtype == np.float32
        accessor = library.Accessor(
            bufferView=self.add_bytes(array.tobytes(), target),
            componentType=library.FLOAT if is_float else library.UNSIGNED_SHORT,
            count=len(array),
            type=self._TYPES[flat.shape[1]],
        )
        if bounds:
            accessor.min, accessor.max = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
        self.document.accessors.append(accessor)
        return len(self.document.accessors) - 1

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """The number of the view of bytes, which start at a multiple of four."""
        start = len(self.blob)
        self.blob += data + b"\0" * (-len(data) % 4)
        view = self.library.BufferView(
            buffer=0, byteOffset=start, byteLength=len(data), target=target
        )
        self.document.bufferViews.append(view)
        return len(self.document.bufferViews) - 1


def _add_mesh(
    file: _Builder, rest: RestHead, targets: FloatArray, unit: float, *, texture: bool
) -> None:
    library, document = file.library, file.document
    parts = {"face": face_triangles(), "eyes": eye_triangles(), "mouth": mouth_triangles()}
    surface = np.concatenate(list(parts.values()))
    if texture:
        # The picture shows eyes and mouth.
        parts = {"face": surface}
    points = rest.shape * AXES * unit
    vertices, elements = library.ARRAY_BUFFER, library.ELEMENT_ARRAY_BUFFER
    attributes = library.Attributes(
        POSITION=file.add(points.astype(np.float32), bounds=True, target=vertices),
        NORMAL=file.add(_normals(points, face_triangles()), target=vertices),
    )
    if texture:
        assert rest.picture is not None
        assert rest.seen is not None
        attributes.TEXCOORD_0 = file.add(rest.seen.astype(np.float32), target=vertices)
        _add_texture(file, rest.picture)
    else:
        for name, colour in zip(parts, (_CLAY, _WHITE, _DARK), strict=True):
            matte = library.PbrMetallicRoughness(
                baseColorFactor=colour, metallicFactor=0.0, roughnessFactor=0.8
            )
            document.materials.append(
                library.Material(name=name, pbrMetallicRoughness=matte, doubleSided=True)
            )
    moves = [
        {
            "POSITION": file.add(
                (move * AXES * unit).astype(np.float32), bounds=True, target=vertices
            )
        }
        for move in targets
    ]
    primitives = [
        library.Primitive(
            attributes=attributes,
            indices=file.add(triangles.astype(np.uint16).ravel(), target=elements),
            material=number,
            targets=moves,
        )
        for number, triangles in enumerate(parts.values())
    ]
    mesh = library.Mesh(name="face", primitives=primitives, weights=[0.0] * len(moves))
    if moves:
        mesh.extras = {"targetNames": expression_names(len(moves))}
    document.meshes.append(mesh)
    document.nodes.append(library.Node(name="head", mesh=0))


def _add_texture(file: _Builder, picture: Picture) -> None:
    """A picture as the face's material. It is shown as it is: its light is in it."""
    library, document = file.library, file.document
    document.images.append(
        library.Image(bufferView=file.add_bytes(png(picture)), mimeType="image/png")
    )
    edge = library.CLAMP_TO_EDGE
    document.samplers.append(library.Sampler(wrapS=edge, wrapT=edge))
    document.textures.append(library.Texture(source=0, sampler=0))
    shown = library.PbrMetallicRoughness(
        baseColorTexture=library.TextureInfo(index=0), metallicFactor=0.0, roughnessFactor=1.0
    )
    material = library.Material(name="face", pbrMetallicRoughness=shown, doubleSided=True)
    material.extensions[_UNLIT] = {}
    document.extensionsUsed.append(_UNLIT)
    document.materials.append(material)


def expression_names(count: int) -> list[str]:
    """Names of the first expressions of the face space, as all exports have them."""
    return [f"expression_{number}" for number in range(1, count + 1)]


def _normals(points: FloatArray, triangles: Triangles) -> npt.NDArray[np.float32]:
    """Unit normals [478, 3] of a surface, means over triangles by their areas.

    Points of no triangle, those of the irises, look ahead.
    """
    first, second, third = (points[triangles[:, corner]] for corner in range(3))
    across = np.cross(second - first, third - first)
    sums = np.zeros_like(points)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], across)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    ahead = np.array([0.0, 0.0, 1.0])
    normals = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), ahead)
    return normals.astype(np.float32)


def _add_camera(file: _Builder, metres_a_picture: float) -> None:
    """A camera that sees what the pictures show, in the first picture's measure."""
    library, half = file.library, metres_a_picture / 2
    lens = library.Orthographic(xmag=half, ymag=half, znear=0.01, zfar=_FAR_METRES)
    file.document.cameras.append(
        library.Camera(name="picture", type="orthographic", orthographic=lens)
    )
    file.document.nodes.append(
        library.Node(name="camera", camera=0, translation=[0.0, 0.0, _CAMERA_METRES])
    )


def _add_animation(
    file: _Builder, times: int, pose: FloatArray, expression: FloatArray, unit: float
) -> None:
    """Move the head through poses [n, 6], and the face through expressions [n, k]."""
    library = file.library
    flat = np.concatenate([places(pose, unit), np.zeros((len(pose), 1))], axis=1)
    grown = np.repeat(np.exp(pose[:, 5:] - pose[0, 5]), 3, axis=1)
    quaternions = turns(pose).as_quat()
    # Of the two that stand for a turn, the one nearer to the last: it is the short way round.
    flips = np.sign((quaternions[1:] * quaternions[:-1]).sum(axis=1))
    quaternions[1:] *= np.cumprod(np.where(flips < 0, -1.0, 1.0))[:, None]
    tracks = {"translation": flat, "rotation": quaternions, "scale": grown}
    if expression.shape[1]:
        tracks["weights"] = expression.reshape(-1)
    animation = library.Animation(name="motion")
    for number, (path, values) in enumerate(tracks.items()):
        animation.samplers.append(
            library.AnimationSampler(
                input=times, output=file.add(values.astype(np.float32)), interpolation="LINEAR"
            )
        )
        target = library.AnimationChannelTarget(node=0, path=path)
        animation.channels.append(library.AnimationChannel(sampler=number, target=target))
    file.document.animations.append(animation)
