"""All that is exported of a stream, gathered picture by picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gfvc.exporting.arkit import MEASURES, measures
from gfvc.exporting.reading import HIDDEN, SeenFace
from models import FaceParameters, ParameterLayout
from models.contract import HEAD_ROTATION, HEAD_TRANSLATION, FloatArray, IntegerArray, Picture
from models.landmarks.face_space import FaceSpace, HeadPose, pose_to_values, values_to_pose
from models.landmarks.layout import EXPRESSION_VALUES, POSE_VALUES, further_values
from models.landmarks.values import to_values

USUAL_SCALE = 0.15
"""Picture widths in a unit of the face space: of a face that is half as wide as the picture."""


@dataclass(frozen=True, slots=True)
class RestHead:
    """The head that moves: its shape [478, 3] in units of the face space, and where it was seen.

    `picture` is the decoded key picture, in which its landmarks lie at `seen` [478, 2] (picture
    widths and heights); None of the average face, which stands in for a person's own.
    """

    shape: FloatArray
    picture: Picture | None = None
    seen: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """Head and face by picture; rows are NaN where nothing is known.

    Attributes:
        pose: [pictures, 6] rotation vector (radians), place (picture widths), logarithm of the
            scale, as `models.landmarks.face_space.pose_to_values`.
        expression: [pictures, 8] values of the expression basis against `rest`, in units of the
            face space.
        measures: [pictures, n] lengths of the face, see `gfvc.exporting.arkit.measures`.
        rest: the head without any expression.

    Of a model that sends a pose and no face, `expression` and `measures` have no columns.
    """

    pose: FloatArray
    expression: FloatArray
    measures: FloatArray
    rest: RestHead

    @property
    def known(self) -> IntegerArray:
        """Numbers [n] of the pictures of which the pose is known."""
        found: IntegerArray = np.flatnonzero(np.isfinite(self.pose[:, 0]))
        return found


@dataclass(frozen=True, slots=True)
class Motion:
    """What a stream says, picture by picture.

    `values` [pictures, n] are the parameters in the layout of the model, NaN where they are not
    known; `kinds` and `against` are as of `SeenFace`. `head` is None of a model whose parameters
    say nothing of a head that could be told here.
    """

    rate: Fraction
    model: str | None
    layout: ParameterLayout
    kinds: tuple[str, ...]
    against: tuple[int, ...]
    values: FloatArray
    head: HeadMotion | None

    @property
    def unknown(self) -> int:
        """Pictures of which nothing is known."""
        return int(np.isnan(self.values[:, 0]).sum())


def gather(
    faces: Iterable[SeenFace],
    rate: Fraction,
    model: str | None,
    layout: ParameterLayout,
    space: FaceSpace,
) -> Motion:
    """The motion of a stream's faces."""
    nothing = np.full(layout.size, np.nan)
    kinds: list[str] = []
    against: list[int] = []
    values: list[FloatArray] = []
    head = _HeadGatherer(layout, space) if has_head(layout) else None
    for face in faces:
        if face.kind == HIDDEN:
            if head is not None:
                head.look_at(face)
            continue
        kinds.append(face.kind)
        against.append(face.against)
        values.append(nothing if face.parameters is None else layout.flatten(face.parameters))
        if head is not None:
            head.add(face)
    gathered = None if head is None else head.motion()
    return Motion(rate, model, layout, tuple(kinds), tuple(against), np.stack(values), gathered)


def has_head(layout: ParameterLayout) -> bool:
    """Whether parameters of a layout say how the head is turned."""
    return has_face(layout) or _rotation_matrix(layout)


def has_face(layout: ParameterLayout) -> bool:
    """Whether parameters of a layout are pose and expression of `mesh` and `face`."""
    return further_values(layout) is not None


def _rotation_matrix(layout: ParameterLayout) -> bool:
    return any(
        (matrix.matrix_type, matrix.shape) == (HEAD_ROTATION, (1, 3, 3))
        for matrix in layout.matrices
    )


class _HeadGatherer:
    """Turns parameters, and landmarks where there are any, into poses and expressions."""

    def __init__(self, layout: ParameterLayout, space: FaceSpace) -> None:
        self._further = further_values(layout)
        self._space = space
        self._rest: RestHead | None = None
        self._poses: list[FloatArray] = []
        self._expressions: list[FloatArray] = []
        self._measures: list[FloatArray] = []
        columns = (0, 0) if self._further is None else (EXPRESSION_VALUES, MEASURES)
        self._unknown = tuple(np.full(count, np.nan) for count in (POSE_VALUES, *columns))

    def add(self, face: SeenFace) -> None:
        """Take the next picture."""
        pose, expression, lengths = self._unknown
        parameters = face.parameters
        if parameters is not None and self._further is None:
            pose = _stated_pose(parameters)
        elif parameters is not None and self._further is not None:
            values, _ = to_values(parameters, self._further)
            pose = values[:POSE_VALUES]
            shape = self._shape(face, values)
            # Against the average face: the person's own may be seen later.
            expression = self._space.expression(shape, self._space.mean)[:EXPRESSION_VALUES]
            lengths = measures(shape)
        self._poses.append(pose)
        self._expressions.append(expression)
        self._measures.append(lengths)

    def look_at(self, face: SeenFace) -> None:
        """See whose face it is in a coded picture that is not shown."""
        if face.parameters is not None and self._further is not None:
            self._shape(face, to_values(face.parameters, self._further)[0])

    def _shape(self, face: SeenFace, values: FloatArray) -> FloatArray:
        """The face [478, 3] without its pose; the average one's where landmarks are not known."""
        if face.landmarks is None:
            return self._space.deform(self._space.mean, values[POSE_VALUES:])
        shape = values_to_pose(values[:POSE_VALUES]).remove(face.landmarks)
        if self._rest is None and face.picture is not None:
            self._rest = RestHead(shape, face.picture, face.landmarks[:, :2])
        return shape

    def motion(self) -> HeadMotion:
        """What was gathered."""
        rest = self._rest or RestHead(self._space.mean)
        own = self._space.expression(rest.shape, self._space.mean)[:EXPRESSION_VALUES]
        expression = np.stack(self._expressions)
        if self._further is not None:
            expression -= own
        return HeadMotion(np.stack(self._poses), expression, np.stack(self._measures), rest)


def _stated_pose(parameters: FaceParameters) -> FloatArray:
    """Pose of a model that sends a rotation matrix, and perhaps a translation: [6].

    Quantised, the matrix is no rotation any more: the nearest one is taken. The translation is in
    halves of the picture, from its middle; a scale is not sent, and `USUAL_SCALE` stands in.
    """
    matrices = dict(parameters.matrices)
    left, _, right = np.linalg.svd(matrices[HEAD_ROTATION][0])
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    moved = matrices.get(HEAD_TRANSLATION, np.zeros((1, 3, 1))).ravel()
    place = np.array([0.5 + moved[0] / 2, 0.5 + moved[1] / 2, 0.0])
    return pose_to_values(HeadPose((left * signs) @ right, USUAL_SCALE, place))
