"""What the codec asks of an animation model, and the values that pass between them.

Pictures are uint8 RGB arrays [height, width, 3] throughout. Floating-point face parameters
exist only outside the bitstream: the codec quantises them according to the model's
`ParameterLayout`, and everything after quantisation is integers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.errors import ModelError

Picture = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntegerArray = npt.NDArray[np.int64]

Scalar = TypeVar("Scalar", np.float64, np.int64)
Held = TypeVar("Held", bound="Closable")

# Values of gfv_matrix_type_idx that models here use.
AFFINE, HEAD_ROTATION, HEAD_TRANSLATION, COMPACT_FEATURE = 0, 4, 5, 7

MAX_PRECISION_FACTOR = 32  # H.274: precision factor minus 1 is 0..31


@dataclass(frozen=True, slots=True)
class MatrixShape:
    """Shape of the matrices of one type in a generative face video SEI message.

    `matrix_type` is gfv_matrix_type_idx (0..63, 7 is a compact feature); `count`, `height`
    and `width` are 1..1024.
    """

    matrix_type: int
    count: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if not 0 <= self.matrix_type <= 63:
            raise ValueError(f"matrix type {self.matrix_type} is outside 0..63")
        for name in ("count", "height", "width"):
            if not 1 <= getattr(self, name) <= 1024:
                raise ValueError(f"matrix {name} {getattr(self, name)} is outside 1..1024")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(count, height, width), the shape of the array of values."""
        return self.count, self.height, self.width

    @property
    def size(self) -> int:
        """Values in all matrices of the type."""
        return self.count * self.height * self.width


@dataclass(frozen=True, slots=True)
class ParameterLayout:
    """Which face parameters a model sends, fixed for a sequence.

    `keypoints` points of `dimensions` (2 or 3) coordinates, 0 for none, quantised with a step of
    2**-coordinate_precision; `matrices` in bitstream order, quantised with a step of
    2**-matrix_precision. Precisions are precision factors of H.274, 1..32.

    The parameters of a picture are also a vector of `size` values, in the order of the bitstream:
    keypoints point by point, then matrices by type, matrix, row and column. `flatten`, `unflatten`
    and `split` go between the two, for real values and for integers in quantisation steps.
    """

    keypoints: int = 0
    dimensions: int = 2
    matrices: tuple[MatrixShape, ...] = ()
    coordinate_precision: int = 8
    matrix_precision: int = 8

    def __post_init__(self) -> None:
        if self.keypoints < 0 or self.dimensions not in (2, 3):
            raise ValueError("keypoints must be 0 or more, of 2 or 3 dimensions")
        if not self.keypoints and not self.matrices:
            raise ValueError("a layout without keypoints needs matrices")
        for precision in (self.coordinate_precision, self.matrix_precision):
            if not 1 <= precision <= MAX_PRECISION_FACTOR:
                raise ValueError(f"precision factor {precision} is outside 1..32")

    @property
    def coordinates(self) -> int:
        """Values of keypoints: the first ones of the vector."""
        return self.keypoints * self.dimensions

    @property
    def elements(self) -> int:
        """Values of matrices: those that follow the coordinates."""
        return sum(matrix.size for matrix in self.matrices)

    @property
    def size(self) -> int:
        """Values of the vector."""
        return self.coordinates + self.elements

    @property
    def precisions(self) -> IntegerArray:
        """Precision factor of each value [size]."""
        counts = (self.coordinates, self.elements)
        return np.repeat([self.coordinate_precision, self.matrix_precision], counts)

    def check(self, parameters: FaceParameters) -> None:
        """Raise `ModelError` when parameters have another layout."""
        points = parameters.keypoints
        found = (
            (0, 0) if points is None else points.shape,
            [(kind, values.shape) for kind, values in parameters.matrices],
        )
        wanted = (
            (self.keypoints, self.dimensions) if self.keypoints else (0, 0),
            [(matrix.matrix_type, matrix.shape) for matrix in self.matrices],
        )
        if found != wanted:
            raise ModelError(
                f"parameters are keypoints {wanted[0]} and matrices {wanted[1]}, "
                f"not {found[0]} and {found[1]}"
            )

    def flatten(self, parameters: FaceParameters) -> FloatArray:
        """The vector [size] of parameters; raise `ModelError` when they have another layout."""
        self.check(parameters)
        points = [] if parameters.keypoints is None else [parameters.keypoints.ravel()]
        return np.concatenate([*points, *(values.ravel() for _, values in parameters.matrices)])

    def unflatten(self, vector: FloatArray) -> FaceParameters:
        """The parameters of a vector [size], as views of it.

        Raises `ValueError` for a vector of another size.
        """
        return FaceParameters(*self.split(vector))

    def split(
        self, vector: npt.NDArray[Scalar]
    ) -> tuple[npt.NDArray[Scalar] | None, tuple[tuple[int, npt.NDArray[Scalar]], ...]]:
        """Keypoints [K, dimensions] or None, and the matrices by type, as views of a vector [size].

        Raises:
            ValueError: the vector has another size.
        """
        if vector.shape != (self.size,):
            raise ValueError(f"a vector of shape {vector.shape} is not one of {self.size} values")
        start = self.coordinates
        points = vector[:start].reshape(-1, self.dimensions) if start else None
        matrices = []
        for matrix in self.matrices:
            part = vector[start : start + matrix.size]
            matrices.append((matrix.matrix_type, part.reshape(matrix.shape)))
            start += matrix.size
        return points, tuple(matrices)


@dataclass(frozen=True, slots=True)
class FaceParameters:
    """What a model says about the face of one picture.

    `keypoints` float64 [K, 2 or 3] or None; `matrices` pairs of gfv_matrix_type_idx and float64
    [count, height, width], in the order of the layout; `pupils` float64 [2, 2] (left, right; x,
    y) or None.
    """

    keypoints: FloatArray | None = None
    matrices: tuple[tuple[int, FloatArray], ...] = ()
    pupils: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of looking at one picture.

    `parameters` are what the stream carries; `detail` is the model's own note about the
    picture (landmarks, say), which a later `Analyser.analyse` may want when this picture is the
    key picture. It never reaches the stream. `landmarks` [478, 3] are those found in a key picture,
    as of `Analyser.landmarks`; None of a model that tracks none.
    """

    parameters: FaceParameters
    detail: Any = field(default=None, repr=False)
    landmarks: FloatArray | None = field(default=None, repr=False)


class Closable:
    """An object that holds something which must be freed: closed at the end of a `with` block."""

    def close(self) -> None:
        """Free what is held; nothing, unless a subclass says otherwise."""

    def __enter__(self: Held) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Analyser(Closable, ABC):
    """Looks at the pictures of one clip, in order; trackers may keep state. Use as a context.

    A clip may be looked at again and again, with other key pictures: `rewind` comes between, and
    `remember` before makes that quick.
    """

    def remember(self, pictures: int) -> None:
        """Keep what was found in up to so many pictures, where finding it again takes long."""

    def expect(self, picture: Picture) -> None:
        """Find out what takes long of a picture that is asked about soon, if that can be kept.

        Several threads may do so, while questions about other pictures are answered.
        """

    def rewind(self) -> None:
        """Start the clip over: from here on, answer as a new analyser would."""

    def look_again(self, picture: Picture) -> None:
        """Go back to a picture looked at before: what is asked about next lies next to it.

        The face that is followed is that of this picture, not that of the last one.
        """

    @abstractmethod
    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Analyse a decoded key picture on its own, or return None when it shows no face.

        The result depends on the picture alone, not on what was analysed before. Raises
        `ModelError` where the model cannot analyse it.
        """

    @abstractmethod
    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Analyse a driven picture, relative to its key picture; None when it shows no face.

        Raises `ModelError` where the model cannot analyse it.
        """

    def analyse_many(self, pictures: Iterable[Picture], key: Analysis) -> Iterator[Analysis | None]:
        """Analyse driven pictures in order; some may be looked at at the same time."""
        return (self.analyse(picture, key) for picture in pictures)

    @abstractmethod
    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face, before any key picture is chosen."""

    def face_picture(self, picture: Picture) -> Picture:
        """What is looked at of a picture [H, W, 3]: all of it, or the part with the face."""
        return picture

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] of the face that is followed in the clip.

        They are in widths and heights of `face_picture`. None without a face; always None of an
        analyser that tracks no landmarks.
        """
        return None


BegunPicture = Callable[[], Picture]
"""A picture that is begun: called once, in any thread, it does the rest and gives the picture."""


def finished(picture: Picture) -> BegunPicture:
    """A picture of which nothing is left to do."""
    return lambda: picture


class Reference(ABC):
    """A key picture made ready: all the work that is needed once per key picture is done."""

    def refine(self, picture: Picture) -> None:  # noqa: B027 - most draw in one size
        """Take what the key picture shows in more pixels, [h, w, 3], before anything is drawn.

        A model that can draws in that size from then on.
        """

    def take_texture(self, key: Reference, coded: Picture) -> Picture | None:
        """Take what the key picture before it, coded finer, shows of the same; before any drawing.

        `coded` is what this was prepared of, or shows that in more pixels. It comes back as it is
        to be shown then, [h, w, 3]; None of a model that takes nothing, or from such a key picture.
        """
        return None

    @abstractmethod
    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the picture that the parameters describe, in the size of the key picture.

        Or of what it was refined by, see `refine`. Raises `ModelError` for parameters of another
        layout, or that make no picture.
        """

    def begin(self, parameters: Iterable[FaceParameters]) -> Iterator[BegunPicture]:
        """Begin pictures, in order; a model leaves what several threads can do at a time."""
        return (finished(self.animate(each)) for each in parameters)

    def landmarks(self, parameters: FaceParameters) -> FloatArray | None:
        """Landmarks [478, 3] that the parameters describe; None of a model that knows none.

        x and y are in picture widths and heights, z in picture widths away from the viewer.
        """
        return None


Ends = tuple[FaceParameters, FaceParameters]
"""What the two pictures of a pair are, both against the earlier one."""


class HeadTrust(Enum):
    """How far the head tells the progress of all else, see `ReferencePair.progress`."""

    AS_FILMED = "as filmed"
    """Wherever it is."""
    NEAR_ITS_WAY = "near its way"
    """Where it is near its way from one picture to the other: in some, it was edited."""
    EDITED = "edited"
    """Nowhere."""


class ReferencePair(ABC):
    """Two successive coded pictures made ready together, to draw what lies between them in time.

    Parameters describe a picture against the earlier of the two. Its position says where it lies:
    0 at the earlier, 1 at the later, in proportion to time between them.
    """

    @property
    def ends(self) -> Ends | None:
        """What the two pictures themselves are, both against the earlier one.

        A receiver sees that in the pictures, without any message. None where a model cannot tell.
        """
        return None

    @abstractmethod
    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Draw the picture that the parameters describe, in the size of the references.

        Or of what these were refined by, see `Reference.refine`.

        Raises `ModelError` for parameters of another layout, or a position outside 0..1.
        """

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        """Begin pictures of parameters and position, as of `Reference.begin`."""
        return (finished(self.animate(*each)) for each in placed)

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        """Landmarks [478, 3] of the picture, as of `Reference.landmarks`; None without any.

        Raises `ModelError` as `animate` does.
        """
        return None

    def trust_head(self, trust: HeadTrust) -> None:  # noqa: B027 - most know time alone
        """Have the head tell the progress so far; time tells it otherwise."""

    def progress(self, parameters: FaceParameters, position: float) -> float:
        """How much of what moves from one picture to the other has moved, about 0..1.

        Time tells it where a model cannot. Raises `ModelError` as `animate` does.
        """
        check_position(position)
        return position


def check_position(position: float) -> None:
    """Raise `ModelError` for a position between two references that is outside 0..1."""
    if not 0 <= position <= 1:
        raise ModelError(f"position {position} between two references is outside 0..1")


class EarlierAlone(ReferencePair):
    """Draws from the earlier reference, whatever the later one shows."""

    def __init__(self, earlier: Reference) -> None:
        self._earlier = earlier

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """What the earlier reference draws."""
        check_position(position)
        return self._earlier.animate(parameters)

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        """Begin pictures as the earlier reference does."""
        return self._earlier.begin(self._parameters(placed))

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        """Landmarks that the earlier reference knows."""
        check_position(position)
        return self._earlier.landmarks(parameters)

    @staticmethod
    def _parameters(placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[FaceParameters]:
        for parameters, position in placed:
            check_position(position)
            yield parameters


class AnimationModel(ABC):
    """A way to describe a moving face in a few numbers, and to draw it again from a still."""

    @property
    @abstractmethod
    def layout(self) -> ParameterLayout:
        """The parameters that the model puts into a stream."""

    @abstractmethod
    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start the analysis of a clip.

        `align` says whether tracked faces are corrected by what the key picture shows when it is
        bent so; None leaves it to the model. Raises `ModelError` for a model that cannot.
        """

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray | None:
        """How much errors of the values matter, or None when nothing is known.

        Float64 [values], in the order of the stream (keypoints, then matrices): the squared
        displacement of landmarks that an error of 1 in a value makes, on the mean over landmarks,
        in squared hundredths of the distance of the eyes. `key_parameters` are those of the key
        picture, from which the size of the face may be known.
        """
        return None

    @abstractmethod
    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Do the work that a key picture needs once.

        `key_parameters` are the reconstructed parameters of its base message; None without one,
        which only a model takes that draws from both references, and sees in the picture what it
        needs. Raises `ModelError` when the parameters do not have the layout of the model.
        """

    @property
    def draws_from_both(self) -> bool:
        """Whether `pair` draws from both references, or from the earlier alone."""
        return False

    @property
    def wants_post_filter(self) -> bool:
        """Whether encoders that are not asked filter coded pictures, where that is better."""
        return False

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        """Do the work that two successive references need once.

        Both are of `prepare` of this model and of one size; each may be the later one of a pair
        and the earlier one of the next. Raises `ModelError` when they are not.
        """
        return EarlierAlone(earlier)
