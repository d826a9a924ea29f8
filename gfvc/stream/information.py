"""What the standard's messages have no place for: one user data message at every IRAP picture.

A user_data_unregistered SEI message (payload type 5, H.274 clause 8.6), prefix SEI.
`stream_information` is the syntax of what follows the 16 bytes of the UUID. Later versions may
append; a reader ignores what follows the elements that it knows.

Pictures that are shown as coded have no face messages, up to the next picture with a user data
message of this kind.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from fractions import Fraction

from base_codec_adapters import MAX_QP
from gfvc.errors import StreamError
from gfvc.face_square import FaceSquare
from gfvc.rectangle import Rectangle
from gfvc.stream.control_grids import SequenceGrids, control_grids, many_control_grids
from gfvc.stream.faces import FurtherFace, face_square, further_faces
from gfvc.stream.references import ReferenceRuns, reference_runs
from gfvc.stream.schedule import PictureSchedule, picture_schedule
from gfvc.stream.sequence import SequenceSchedule, sequence_schedule
from gfvc.stream.shown_size import ShownSize, shown_size
from models.post_filter import ToldQps
from sei import USER_DATA_UNREGISTERED, NalUnit, PayloadError, SeiError, SeiMessage, read_sei
from sei.coder import UNREAD, Coder, Reader, Writer
from sei.payload_kinds import register_user_data

# The name-based UUID (version 5, URL name space) of "tag:gfvc,2026:stream-information".
USER_DATA_UUID = uuid.UUID("81724027-6de0-5106-8f2e-e2f1a0bb654f")
VERSION = 1
VERSION_WITH_FLAGS = 2
VERSION_WITH_CHANGES = 3
"""The first that can say how pictures are changed before they are shown."""
VERSION_WITH_MANY_GRIDS = 4
"""The first that can have more than a few control grids between two coded pictures."""
VERSION_WITH_TOLD_QPS = 5
"""The first that can say what the post-filter is told."""
MAX_STATED_RATE = 1000
"""Most pictures per second that are believed; the least are 1."""


@dataclass(frozen=True, slots=True)
class StreamInformation:
    """Rate of the output pictures, and where the pictures come from.

    `shown_as_coded` tells that the pictures up to the next such information are not key pictures.
    `schedule` tells which pictures of the access unit have messages, None: all of them.
    `references` tells which key pictures drive them, None: the one of the access unit.
    `sequence` tells both of all coded pictures up to the next IDR picture, in place of `schedule`.
    `face_square` tells where in the pictures up to the next such information the face is driven and
    drawn, None: it fills them. `further_faces` are those beside it, `control_grids` say how all
    else moves; both go with `sequence`.
    `shown_size` tells at which size all pictures of the stream are shown, None: as coded.
    `post_filter` tells by which filter coded pictures go before they are shown and drawn from, up
    to the next such information (`models.post_filter`); 0: by none. `post_filter_qps` are what the
    filter is told, None: its stream is of before that was stated.
    `hides_coded_picture` tells that the coded picture of the access unit is not shown: the first
    picture that it drives is shown in its place. It goes not with `references`, nor with
    `sequence`, which tells of each of its coded pictures whether it is hidden.
    """

    rate: Fraction
    source_width: int
    source_height: int
    crop: Rectangle
    shown_as_coded: bool = False
    schedule: PictureSchedule | None = None
    references: ReferenceRuns | None = None
    sequence: SequenceSchedule | None = None
    hides_coded_picture: bool = False
    face_square: FaceSquare | None = None
    further_faces: tuple[FurtherFace, ...] = ()
    control_grids: SequenceGrids | None = None
    shown_size: ShownSize | None = None
    post_filter: int = 0
    post_filter_qps: ToldQps | None = None

    @property
    def face_squares(self) -> tuple[FaceSquare, ...]:
        """All squares that faces are drawn in, that of the first face before the others."""
        first = () if self.face_square is None else (self.face_square,)
        return (*first, *(face.square for face in self.further_faces))

    def to_payload(self) -> bytes:
        """The payload of the user data message."""
        writer = Writer()
        stream_information(writer, replace(self, rate=self.rate.limit_denominator(0xFFFF)))
        return USER_DATA_UUID.bytes + writer.to_bytes()

    @classmethod
    def from_payload(cls, payload: bytes) -> StreamInformation | None:
        """Read a user data payload; None when it is somebody else's.

        Raises `StreamError` when it is ours and damaged, or of a later, incompatible kind.
        """
        if payload[:16] != USER_DATA_UUID.bytes:
            return None
        try:
            stated = stream_information(Reader(payload[16:]), UNREAD)
        except (SeiError, ValueError) as error:
            raise StreamError(f"gfvc's user data message is damaged: {error}") from None
        if not 1 <= stated.rate <= MAX_STATED_RATE:
            raise StreamError(
                f"gfvc's user data message states {stated.rate} pictures per second, which must be "
                f"within 1..{MAX_STATED_RATE}"
            )
        if stated.references is not None and stated.schedule is not None:
            stated.references.check_starts(stated.schedule)
        beside = {"a schedule": stated.schedule, "references": stated.references}
        for name, part in beside.items():
            if stated.sequence is not None and part is not None:
                raise StreamError(
                    f"gfvc's user data message has a sequence and {name}, which tell of the same "
                    "pictures"
                )
        if stated.hides_coded_picture and stated.references is not None:
            raise StreamError(
                "gfvc's user data message hides a coded picture that its references count as shown"
            )
        return stated


def stream_information(c: Coder, given: StreamInformation) -> StreamInformation:
    """Syntax of the message; `sei.coder` says how it serves reading and writing."""
    parts = (given.schedule, given.references, given.sequence, given.face_square)
    hides = given.hides_coded_picture
    if given.sequence is not None:
        hides = bool(given.sequence.hidden)
    flags = given.shown_as_coded, hides
    has_flags = any(flags) or any(part is not None for part in parts)
    least = VERSION_WITH_FLAGS if has_flags else VERSION
    if given.shown_size is not None or given.post_filter:
        least = VERSION_WITH_CHANGES
    few_grids, many_grids = given.control_grids, None
    if few_grids is not None and few_grids.are_many:
        few_grids, many_grids = None, few_grids
        least = VERSION_WITH_MANY_GRIDS
    if given.post_filter_qps is not None:
        least = VERSION_WITH_TOLD_QPS
    version = c.u("version", 8, least, 1, 255)
    numerator = c.u("rate_numerator", 32, given.rate.numerator, 1, 2**32 - 1)
    denominator = c.u("rate_denominator", 16, given.rate.denominator, 1, 0xFFFF)
    pictures_per_message = c.u("pictures_per_message", 8, int(given.schedule is None), 0, 1)
    source_width = c.u("source_width", 16, given.source_width)
    source_height = c.u("source_height", 16, given.source_height)
    crop_left = c.u("crop_left", 16, given.crop.left)
    crop_top = c.u("crop_top", 16, given.crop.top)
    crop_width = c.u("crop_width", 16, given.crop.width)
    crop_height = c.u("crop_height", 16, given.crop.height)
    shown_as_coded = coded_picture_hidden_flag = False
    schedule, references, sequence, square = None, None, None, None
    faces: tuple[FurtherFace, ...] = ()
    grids = shown = None
    post_filter, told = 0, None
    if version >= VERSION_WITH_FLAGS:
        control_grids_flag = c.flag("control_grids_flag", few_grids is not None)
        further_faces_flag = c.flag("further_faces_flag", bool(given.further_faces))
        face_square_flag = c.flag("face_square_flag", given.face_square is not None)
        coded_picture_hidden_flag = c.flag("coded_picture_hidden_flag", hides)
        sequence_flag = c.flag("sequence_flag", given.sequence is not None)
        references_flag = c.flag("references_flag", given.references is not None)
        schedule_flag = c.flag("schedule_flag", given.schedule is not None)
        shown_as_coded = c.flag("shown_as_coded_flag", given.shown_as_coded)
        if schedule_flag:
            schedule = picture_schedule(c, c.part("schedule", given.schedule))
            c.align("schedule_alignment_zero_bit")
        if references_flag:
            references = reference_runs(c, c.part("references", given.references))
            c.align("references_alignment_zero_bit")
        if sequence_flag:
            sequence = sequence_schedule(
                c,
                c.part("sequence", given.sequence),
                coded_picture_hidden_flag=coded_picture_hidden_flag,
            )
            c.align("sequence_alignment_zero_bit")
        if face_square_flag:
            square = face_square(c, c.part("face_square", given.face_square))
        if further_faces_flag:
            if sequence is None or square is None:
                raise PayloadError("further faces want a first one's square, and a sequence")
            faces = further_faces(c, given.further_faces, sequence)
            c.align("further_faces_alignment_zero_bit")
        if control_grids_flag:
            if sequence is None:
                raise PayloadError("control grids want a sequence")
            grids = control_grids(c, c.part("control_grids", few_grids), sequence)
            c.align("control_grids_alignment_zero_bit")
    if version >= VERSION_WITH_CHANGES:
        shown_size_flag = c.flag("shown_size_flag", given.shown_size is not None)
        post_filter = c.u("post_filter_idc", 7, given.post_filter)
        if shown_size_flag:
            shown = shown_size(c, c.part("shown_size", given.shown_size))
    if version >= VERSION_WITH_MANY_GRIDS:
        many_control_grids_flag = c.flag("many_control_grids_flag", many_grids is not None)
        c.u("reserved_7bits", 7, 0)
        if many_control_grids_flag:
            if sequence is None or grids is not None:
                raise PayloadError("many control grids want a sequence without other ones")
            grids = many_control_grids(c, c.part("control_grids", many_grids), sequence)
            c.align("many_control_grids_alignment_zero_bit")
    if version >= VERSION_WITH_TOLD_QPS:
        told_qps_flag = c.flag("told_qps_flag", given.post_filter_qps is not None)
        c.u("reserved_7bits", 7, 0)
        if told_qps_flag:
            told = _told_qps(c, c.part("post_filter_qps", given.post_filter_qps))
    if pictures_per_message == 0 and schedule is None:
        raise PayloadError("pictures_per_message is 0, and no schedule says which have messages")
    return StreamInformation(
        Fraction(numerator, denominator),
        source_width,
        source_height,
        Rectangle(crop_left, crop_top, crop_width, crop_height),
        shown_as_coded,
        schedule,
        references,
        sequence,
        coded_picture_hidden_flag and sequence is None,
        square,
        faces,
        grids,
        shown,
        post_filter,
        told,
    )


def _told_qps(c: Coder, given: ToldQps) -> ToldQps:
    most = max(MAX_QP.values())
    key = c.u("post_filter_key_qp", 8, given.key, 0, most)
    return ToldQps(key, c.u("post_filter_qp", 8, given.others, 0, most))


register_user_data(USER_DATA_UUID.bytes, stream_information)


def is_ours(message: SeiMessage) -> bool:
    """Whether a message is user data of gfvc."""
    ours = message.payload_type == USER_DATA_UNREGISTERED
    return ours and message.payload.startswith(USER_DATA_UUID.bytes)


def shows_as_coded(message: SeiMessage) -> bool:
    """Whether user data of ours say that coded pictures are shown as they are."""
    if not is_ours(message):
        return False
    try:
        stated = StreamInformation.from_payload(message.payload)
    except StreamError:
        return False
    if stated is None:
        return False
    return stated.shown_as_coded or (stated.sequence is not None and not stated.sequence.drives)


def stated_by(unit: NalUnit, message: SeiMessage) -> StreamInformation | None:
    """What a message of an SEI NAL unit states; None of all but our user data in prefix SEI.

    What follows a coded picture comes too late to say how it is shown. Raises `StreamError` where
    our user data are damaged.
    """
    if message.payload_type != USER_DATA_UNREGISTERED or not unit.is_prefix_sei:
        return None
    return StreamInformation.from_payload(message.payload)


def information_of(message: SeiMessage) -> StreamInformation | None:
    """What a message states; only one of ours does, that is not damaged."""
    if not is_ours(message):
        return None
    try:
        return StreamInformation.from_payload(message.payload)
    except StreamError:
        return None


def find_information(unit: NalUnit) -> StreamInformation | None:
    """What a NAL unit states, or None; a damaged one states nothing."""
    if not unit.is_prefix_sei:
        return None
    try:
        found = [stated_by(unit, message) for message in read_sei(unit).messages]
    except (SeiError, StreamError):
        return None
    return next((information for information in found if information is not None), None)
