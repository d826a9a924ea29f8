"""Face landmarks by MediaPipe Face Mesh, of pictures and of whole clips.

Landmarks are float64 [478, 3]: x to the right and y down in picture widths and heights (0..1
inside the picture), z towards the scene in picture widths, about 0 at the head's centre. The
order is that of `models.landmarks.points`.

Ahmed et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from models.contract import Closable, FloatArray, Picture
from models.errors import FaceTrackerError, ModelError
from models.files import file_sha256, written_whole
from models.forking import begin_threads, lacks_threads
from models.importing import apart
from models.landmarks.points import ALL_POINTS

MAX_FACES = 4

# A face whose box has this many times the area of the followed one's is followed instead,
MUCH_LARGER = 3.0
# and one whose box has less than that share of it only when that was lost for so many pictures.
PATIENCE = 10

_PYPLOT = ("matplotlib", "matplotlib.pyplot")


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A face's bounding box in pixels: left, top, width, height (may reach outside the picture)."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in pixels."""
        return self.left + self.width / 2, self.top + self.height / 2

    def overlap(self, other: FaceBox) -> float:
        """Area of the intersection over the area of the union, 0..1."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


class _QuietStderr:
    """Silences what the library's C++ side prints, while any thread is inside.

    Its log level cannot be set from Python, and what it warns of means nothing to a user: each
    graph as it starts, and Face Mesh of the first face that it finds in this process, in whatever
    picture that is. It prints nothing else, not while it is imported either. File descriptor 2 is
    led elsewhere meanwhile, and what other threads write there is lost, as is what programs write
    that they start then. `sys.stderr` is the caller's, may be anything, and none is needed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By thread: what a signal's handler raised on the way in or out is made good by the next.
        self._inside: set[int] = set()
        self._saved: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._saved is None:
                with contextlib.suppress(OSError):
                    self._lead_away()
            self._inside.add(threading.get_ident())

    def _lead_away(self) -> None:
        self._saved = os.dup(2)
        with open(os.devnull, "wb") as sink:  # noqa: PTH123 - a device, not a path
            os.dup2(sink.fileno(), 2)

    def __exit__(self, *ended: object) -> None:
        with self._lock:
            self._inside.discard(threading.get_ident())
            if not self._inside and self._saved is not None:
                os.dup2(self._saved, 2)
                os.close(self._saved)
                self._saved = None


_quiet_stderr = _QuietStderr()


class _ImportedWhenUsed(ModuleType):
    """Stands for a module until something of it is used, and then passes that on."""

    def __getattr__(self, name: str) -> Any:
        _make_way()
        return getattr(importlib.import_module(self.__name__), name)


_way_lock = threading.Lock()


def _make_way() -> None:
    """Have imports find the modules themselves again."""
    with _way_lock:
        for name in _PYPLOT:
            if isinstance(sys.modules.get(name), _ImportedWhenUsed):
                del sys.modules[name]


@contextlib.contextmanager
def _pyplot_when_used() -> Iterator[None]:
    """Let an import of matplotlib.pyplot find a module that is loaded when it is used.

    mediapipe imports it for drawing helpers that nothing here calls, and that import alone takes
    longer than all the rest of mediapipe. Callers may call them, and other threads may import it
    meanwhile. A pyplot that is loaded already stays, and so does matplotlib.
    """
    package, pyplot = map(_ImportedWhenUsed, _PYPLOT)
    setattr(package, "pyplot", pyplot)  # noqa: B010 - a module has any
    with _way_lock:
        if _PYPLOT[1] not in sys.modules:
            sys.modules.setdefault(_PYPLOT[0], package)
            sys.modules[_PYPLOT[1]] = pyplot
    try:
        yield
    finally:
        _make_way()


def load_solutions() -> Any:
    """The library's module of solutions; raise `FaceTrackerError` when it cannot be used."""
    try:
        return apart(_solutions)
    except ImportError as error:
        raise FaceTrackerError(
            f"mediapipe cannot be loaded ({error}); on a bare Debian install libgl1 and "
            "libglib2.0-0 with apt-get, then try again"
        ) from error


def _solutions() -> Any:
    with _pyplot_when_used(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mediapipe
    return mediapipe.solutions


class _Graphs:
    """A MediaPipe solution, started as often as threads look at pictures at a time.

    It must look at every picture afresh.

    Args:
        solution: "face_mesh" or "face_detection".
        found: what of a result holds the faces.
        options: of the solution.
    """

    def __init__(self, solution: str, found: str, **options: Any) -> None:
        self._open = partial(_Graph, solution, found, **options)
        self._idle: list[_Graph] = []

    def process(self, picture: Picture) -> Sequence[Any]:
        """What is found in a picture; several threads may ask."""
        try:
            graph = self._idle.pop()
        except IndexError:
            graph = self._open()
        try:
            return graph.process(picture)
        finally:
            self._idle.append(graph)

    def close(self, kept: int = 0) -> None:
        """Free the graphs, but for some that are kept for the next picture."""
        while len(self._idle) > kept:
            self._idle.pop().close()


class _Graph:
    """One of `_Graphs`, started on the first picture and quiet about it."""

    # Solutions that warn of their first face in a process, and have not found it yet.
    _to_warn: ClassVar[set[str]] = {"face_mesh"}

    def __init__(self, solution: str, found: str, **options: Any) -> None:
        self._solution = solution
        self._found = found
        self._options = options
        self._graph: Any = None

    def process(self, picture: Picture) -> Sequence[Any]:
        """What is found in a picture."""
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(
                f"a picture is uint8 [height, width, 3], not {picture.dtype} {picture.shape}"
            )
        begin_threads()
        picture = np.ascontiguousarray(picture)
        if self._graph is None:
            solutions = load_solutions()
            # A graph goes on starting, in threads of its own, until its first picture is done.
            with _quiet_stderr:
                self._start(solutions)
                faces = self._run(picture)
        elif self._solution in self._to_warn:
            with _quiet_stderr:
                faces = self._run(picture)
        else:
            return self._run(picture)
        if faces:
            self._to_warn.discard(self._solution)
        return faces

    def _start(self, solutions: Any) -> None:
        module = getattr(solutions, self._solution)
        factory = {"face_mesh": "FaceMesh", "face_detection": "FaceDetection"}[self._solution]
        try:
            self._graph = getattr(module, factory)(**self._options)
        except TimeoutError:  # of a signal's handler
            raise
        except (RuntimeError, ValueError, OSError) as error:
            raise FaceTrackerError(f"mediapipe {self._solution} does not start: {error}") from None

    def _run(self, picture: Picture) -> Sequence[Any]:
        try:
            with warnings.catch_warnings():
                # protobuf announces the end of a function that mediapipe 0.10.21 still calls.
                warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype")
                return getattr(self._graph.process(picture), self._found) or ()
        except (RuntimeError, ValueError) as error:
            raise FaceTrackerError(f"mediapipe {self._solution} failed: {error}") from None

    def close(self) -> None:
        # Of a process that was forked since, it would wait for threads that are not there.
        if self._graph is not None and not lacks_threads():
            self._graph.close()
            self._graph = None


def landmark_box(landmarks: FloatArray, width: int, height: int) -> FaceBox:
    """Bounding box of landmarks [478, 3] in a picture of the given size."""
    low = landmarks[:, :2].min(axis=0) * (width, height)
    high = landmarks[:, :2].max(axis=0) * (width, height)
    return FaceBox(low[0], low[1], high[0] - low[0], high[1] - low[1])


Result = TypeVar("Result")

_DIGEST_BYTES = 16


def _area_of_face(face: tuple[FloatArray, FaceBox]) -> float:
    return face[1].area


class Memory(Generic[Result]):
    """Results by the content of the arrays that they were computed from, `entries` at most.

    What comes when the memory is full is not kept. A clip is looked at in order, again and again,
    and what gave way to newer pictures would always be what comes next.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._results: dict[bytes, Result] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept."""
        return len(self._results) >= self._entries

    def find(self, compute: Callable[[], Result], *sources: npt.NDArray[Any]) -> Result:
        """What `compute` makes of the sources, now or when it was asked before."""
        return self.find_by_name(compute, _name(sources))

    def find_by_name(self, compute: Callable[[], Result], name: bytes) -> Result:
        """The same of sources whose `_name` is known."""
        if name in self._results:
            return self._results[name]
        result = compute()
        if not self.is_full:
            self._results[name] = result
        return result


def _name(sources: tuple[npt.NDArray[Any], ...]) -> bytes:
    # Arrays of the same bytes and another shape are others.
    shapes = [(source.shape, source.dtype.str) for source in sources]
    digest = hashlib.blake2b(repr(shapes).encode(), digest_size=_DIGEST_BYTES)
    for source in sources:
        digest.update(source.tobytes())
    return digest.digest()


_meshes = _Graphs(
    "face_mesh",
    "multi_face_landmarks",
    static_image_mode=True,
    max_num_faces=MAX_FACES,
    refine_landmarks=True,
)
"""Those of all trackers: a graph takes some 30 MB, and five times as long to start as to look."""


class FaceTracker(Closable):
    """Landmarks of one face in successive pictures of a clip, or in unrelated stills.

    Every picture is looked at afresh. MediaPipe's video mode saves a third of the time but lags
    behind quick heads: its landmarks lie up to 0.02 eye distances from those of a still.
    Up to four faces are looked for; the largest is taken first and then followed by overlap, until
    there is one that is much larger. One elsewhere is taken when the followed face is gone; where
    that is much smaller, when it stays away. Raises `FaceTrackerError` when the library cannot be
    used.

    Args:
        is_face: tells of landmarks [478, 3], in a picture of so many widths' height, whether they
            can be those of a face; others are not tracked. Stills are looked at without it.
    """

    def __init__(self, is_face: Callable[[FloatArray, float], bool] | None = None) -> None:
        self._is_face = is_face
        self._memory: Memory[list[tuple[npt.NDArray[np.float32], bool]]] | None = None
        self.rewind()

    def remember(self, pictures: int) -> None:
        """Keep what is found in up to so many pictures, for when they are looked at again."""
        self._memory = Memory(pictures)

    def expect(self, picture: Picture) -> None:
        """Look at a picture before it is tracked, if that is kept; several threads may do so."""
        if self._memory is not None and not self._memory.is_full:
            self._find(picture)

    def rewind(self) -> None:
        """Follow no face any more, as a new tracker does."""
        self._last: FaceBox | None = None
        self._missed = 0  # pictures without the followed face
        # The picture tracked last, by content: it is asked about more than once in a row.
        self._latest: tuple[bytes, FloatArray | None] | None = None

    def track(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] of the followed face, or None when there is none."""
        name = _name((picture,))
        if self._latest is None or self._latest[0] != name:
            self._latest = name, self._follow(self._find(picture, name, plausible=True))
        return self._latest[1]

    def look(self, picture: Picture) -> FloatArray | None:
        """Landmarks of the largest face of a still; `track` follows that face from then on."""
        self.rewind()
        return self._follow(self._find(picture))

    def largest(self, picture: Picture) -> FloatArray | None:
        """Landmarks of the largest face of a still, which is not followed; any thread may ask."""
        faces = self._find(picture)
        return max(faces, key=_area_of_face)[0] if faces else None

    def _follow(self, faces: list[tuple[FloatArray, FaceBox]]) -> FloatArray | None:
        """Landmarks of that one of the faces which is to be followed."""
        self._missed += 1
        if not faces:
            return None
        last = self._last
        landmarks, box = max(faces, key=_area_of_face)
        if last is not None:
            nearest = max(faces, key=lambda face: face[1].overlap(last))
            if nearest[1].overlap(last) > 0:
                if box.area <= MUCH_LARGER * nearest[1].area:
                    landmarks, box = nearest
            elif MUCH_LARGER * box.area < last.area and self._missed <= PATIENCE:
                return None
        self._last, self._missed = box, 0
        return landmarks

    def _find(
        self, picture: Picture, name: bytes | None = None, *, plausible: bool = False
    ) -> list[tuple[FloatArray, FaceBox]]:
        """The faces in a picture, with their boxes; plausible ones only, if asked for.

        `name` is its `_name`, which takes a while to find, where that is known.
        """
        height, width = picture.shape[:2]
        if self._memory is None:
            seen = self._judged(picture)
        else:
            name = name or _name((picture,))
            seen = self._memory.find_by_name(lambda: self._judged(picture), name)
        faces = (face.astype(np.float64) for face, is_face in seen if is_face or not plausible)
        return [(points, landmark_box(points, width, height)) for points in faces]

    def _judged(self, picture: Picture) -> list[tuple[npt.NDArray[np.float32], bool]]:
        """Landmarks of each face, and whether they can be those of one.

        The library's numbers have 32 bits: nothing is rounded, and a face takes 5.7 kB.
        """
        aspect = picture.shape[0] / picture.shape[1]
        return [
            (points.astype(np.float32), self._is_face is None or self._is_face(points, aspect))
            for points in self._look(picture)
        ]

    def _look(self, picture: Picture) -> list[FloatArray]:
        faces = _meshes.process(picture)
        return [np.array([(p.x, p.y, p.z) for p in face.landmark], np.float64) for face in faces]

    def close(self) -> None:
        """Free the library's graphs but one, for the next tracker."""
        _meshes.close(kept=1)


_stills = FaceTracker()


def look_at_still(picture: Picture) -> FloatArray | None:
    """Landmarks [478, 3] of the largest face of a still, or None when there is none.

    Any thread may ask. Raises `FaceTrackerError` when the library cannot be used.
    """
    return _stills.largest(picture)


class FaceFinder(Closable):
    """Boxes of all faces in a picture, large and small, without landmarks.

    Bazarevsky et al., "BlazeFace", 2019, in its full-range variant (faces up to 5 m away).
    """

    def __init__(self) -> None:
        self._graphs = _Graphs(
            "face_detection", "detections", model_selection=1, min_detection_confidence=0.5
        )

    def find(self, picture: Picture) -> list[FaceBox]:
        """All faces of a picture, the largest first."""
        height, width = picture.shape[:2]
        boxes = []
        for detection in self._graphs.process(picture):
            box = detection.location_data.relative_bounding_box
            boxes.append(
                FaceBox(box.xmin * width, box.ymin * height, box.width * width, box.height * height)
            )
        return sorted(boxes, key=lambda box: -box.area)

    def close(self) -> None:
        """Free the library's graphs."""
        self._graphs.close()


def clip_landmarks(path: Path, cache: Path | None = None) -> FloatArray:
    """Landmarks [pictures, 478, 3] of a clip; rows of a picture without a face are NaN.

    With `cache`, a folder, they are kept there under the hash of the clip's bytes.
    Raises `ModelError` when the file is no video.
    """
    kept = None
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        kept = cache / f"{file_sha256(path)[:24]}.npy"
        # A file that was cut off or damaged is made anew. Mapped, it cannot ask for more memory
        # than it has bytes, whatever its header says.
        with contextlib.suppress(FileNotFoundError, EOFError, ValueError, AttributeError):
            found = np.load(kept, mmap_mode="r")
            if found.dtype == np.float32 and found.shape[1:] == (ALL_POINTS, 3):
                return np.array(found, np.float64)
    import av

    rows = []
    try:
        with av.open(str(path)) as container, FaceTracker() as tracker:
            for frame in container.decode(video=0):
                found = tracker.track(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
                rows.append(np.full((ALL_POINTS, 3), np.nan) if found is None else found)
    except (av.FFmpegError, IndexError) as error:
        raise ModelError(f"{path}: not a video that can be read ({error})") from None
    landmarks = np.array(rows, np.float32).reshape(-1, ALL_POINTS, 3)
    if kept is not None:
        with written_whole(kept) as temporary:
            np.save(temporary, landmarks)
    return landmarks.astype(np.float64)
