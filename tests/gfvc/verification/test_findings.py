"""A stream for each thing that verification finds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from bitstring import Bits
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import GfvcError
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.marking import EDITED, GENERATED, mark_message
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Finding, Severity, verify_stream
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    Codec,
    CoordinateLayout,
    Coordinates,
    FaceValues,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfvState,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    NalUnit,
    NetworkPayload,
    NetworkReserved,
    Pupils,
    SeiMessage,
    join_annex_b,
)
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions
from sei.signed_content import SIGNED_CONTENT_INITIALIZATION
from tests.gfvc.editing.streams import (
    FILLER,
    INFORMATION,
    SIGNED,
    SIGNED_WITH_SEI,
    Faces,
    all_units,
    parameter_sets,
    picture,
    sei_unit,
    slice_unit,
    write_stream,
)
from tests.gfvc.support import CommandLine, no_notes

Stream = Sequence[NalUnit]


def keypoints(count: int, *, predicted: bool = False) -> Coordinates:
    layout = CoordinateLayout(8, count)
    return Coordinates(tuple((i, i) for i in range(count)), predicted, layout)


def matrices(*shapes: MatrixShape) -> Matrices:
    layout = MatrixLayout(6, shapes)
    return Matrices(tuple(MatrixElement(0, 1) for _ in range(layout.size)), False, layout)


def base_message(**fields: object) -> GenerativeFaceVideo:
    return GenerativeFaceVideo(1, 0, True, **{"coordinates": keypoints(2), **fields})  # type: ignore[arg-type]


def with_base(**fields: object) -> Stream:
    """A picture with one base message that has these fields."""
    return picture(Faces().raw(base_message(**fields)))


def cut_message() -> Stream:
    return picture(SeiMessage(GENERATIVE_FACE_VIDEO, Faces().gfv(0).payload[:3]))


def cut_nal_unit() -> Stream:
    units = picture(*Faces().run(2))
    return [*units[:-1], NalUnit(Codec.VVC, units[-1].data[:-1])]


def out_of_range() -> Stream:
    # gfv_id 0, gfv_cnt 1, low confidence 0, neither coordinates nor matrices, trailing bit.
    return picture(*Faces().run(1), SeiMessage(GENERATIVE_FACE_VIDEO, b"\xa1"))


def no_reference() -> Stream:
    return picture(*Faces().run(3)[1:])


def pupils_without_base() -> Stream:
    faces, others = Faces(), Faces()
    others.gfve(0)
    return picture(*(faces.gfv(0), faces.gfve(0, pupils=False)), *(faces.gfv(1), others.gfve(1)))


def starts_late() -> Stream:
    faces = Faces()
    return [*picture(*faces.run(2)), *picture(faces.gfv(2), intra=False)]


def run_with(*counts: int) -> Callable[[], Stream]:
    def make() -> Stream:
        faces = Faces()
        return picture(*(faces.gfv(count) for count in counts))

    return make


def repeated() -> Stream:
    base, driven = Faces().run(2)
    return picture(base, driven, driven)


def two_base_messages() -> Stream:
    faces = Faces()
    return picture(faces.gfv(0), faces.gfv(0))


def driving_message(state: GfvState, gfv_id: int = 1) -> SeiMessage:
    """A message with gfv_cnt 0 that is no base message, and predicts nothing."""
    values = FaceValues(keypoints=((1, 2), (3, 4)), keypoint_precision_factor=8)
    message = state.predict(values, gfv_id=gfv_id, gfv_cnt=0, predict_keypoints=False)
    return SeiMessage(GENERATIVE_FACE_VIDEO, state.write(message))


def never_a_base_message() -> Stream:
    return picture(driving_message(GfvState()))


def entry_without_base() -> Stream:
    return [*picture(*Faces().run(2)), *picture(driving_message(GfvState()))]


def more_keypoints() -> Stream:
    faces = Faces()
    driven = GenerativeFaceVideo(1, 1, coordinates=keypoints(3))
    return picture(faces.gfv(0), faces.raw(driven))


def new_keypoints_at_a_key_picture() -> Stream:
    faces = Faces()
    return [*picture(faces.gfv(0)), *picture(faces.gfv(0, keypoints=5))]


def other_matrices() -> Stream:
    faces = Faces()
    base = base_message(matrices=matrices(MatrixShape(2, 1, 1, 6)))
    driven = GenerativeFaceVideo(1, 1, matrices=matrices(MatrixShape(2, 1, 1, 4)))
    return picture(faces.raw(base), faces.raw(driven))


def other_enhancement_matrices() -> Stream:
    faces = Faces()
    enhancements = [
        faces.raw_enhancement(
            GenerativeFaceVideoEnhancement(
                *(0, 1, i, i == 0), matrices=matrices(MatrixShape(None, 1, 2, 2 + i))
            )
        )
        for i in range(2)
    ]
    return picture(faces.gfv(0), enhancements[0], faces.gfv(1), enhancements[1])


def in_prefix(codec: Codec) -> Callable[[], Stream]:
    def make() -> Stream:
        return [
            *parameter_sets(codec),
            sei_unit(INFORMATION, Faces().gfv(0), codec=codec, suffix=False),
            slice_unit(codec),
        ]

    return make


def suffix_first() -> Stream:
    before = sei_unit(FILLER)
    return [*parameter_sets(), before, *picture(Faces().gfv(0))[2:]]


def with_header(*header: int) -> Callable[[], Stream]:
    """A picture whose message is in a NAL unit with this header."""

    def make() -> Stream:
        *head, last = picture(Faces().gfv(0))
        return [*head, NalUnit(Codec.VVC, bytes(header) + last.data[2:])]

    return make


def volume_in_suffix() -> Stream:
    return [*picture(Faces().gfv(0)), sei_unit(SeiMessage(137, bytes(24)))]


def enhances_nothing() -> Stream:
    faces = Faces()
    return picture(faces.gfv(0), faces.gfve(0), faces.gfve(1))


def enhances_another_picture() -> Stream:
    faces = Faces()
    first = picture(faces.gfv(0), faces.gfve(0), faces.gfv(1))
    return [*first, *picture(faces.gfv(0), faces.gfve(1), intra=False)]


def enhances_too_early() -> Stream:
    faces = Faces()
    return picture(faces.gfv(0), faces.gfve(0), faces.gfve(1), faces.gfv(1))


def other_base_flag() -> Stream:
    faces, state = Faces(), GfvState()
    driving = driving_message(state)
    return [*picture(faces.gfv(0)), *picture(driving, faces.gfve(0), intra=False)]


def counted_matrices_late() -> Stream:
    # As many matrices as keypoints of type 0, and another number of type 1.
    return with_base(
        coordinates=keypoints(4),
        matrices=matrices(MatrixShape(0, 4, 2, 2), MatrixShape(1, 2, 2, 2)),
    )


def pose_late() -> Stream:
    return with_base(matrices=matrices(MatrixShape(2, 1, 1, 2), MatrixShape(5, 1, 2, 1)))


def predicts_from_base_again() -> Stream:
    faces = Faces()
    shape = MatrixShape(7, 1, 1, 1)
    deltas = Matrices((MatrixElement(0, 1),), True, None)
    first = picture(
        faces.raw(base_message(coordinates=None, matrices=matrices(shape))),
        faces.raw(GenerativeFaceVideo(1, 1, matrices=deltas)),
    )
    return [*first, *picture(faces.raw(GenerativeFaceVideo(1, 0, matrices=deltas)), intra=False)]


def two_faces_predicted() -> Stream:
    faces = Faces()
    return picture(*(faces.gfv(cnt, gfv_id=face) for cnt in (0, 1) for face in (1, 2)))


def two_enhanced_faces() -> Stream:
    faces = Faces()
    base = [faces.gfv(0, gfv_id=face) for face in (1, 2)]
    pupils = [faces.gfve(cnt, gfv_id=face) for cnt in (0, 1) for face in (1, 2)]
    driven = [faces.gfv(1, gfv_id=face) for face in (1, 2)]
    return picture(*base, *pupils[:2], *driven, *pupils[2:])


def network_as_bytes() -> Stream:
    faces = Faces()
    base = faces.raw(base_message(network=NetworkPayload(b"network")))
    return [*picture(base), *picture(faces.gfv(0, base=False), intra=False)]


def enhancing_network_as_bytes() -> Stream:
    faces = Faces()
    pupils = Pupils((1, 2), (3, 4), 8)
    network = NetworkPayload(b"network")
    base = GenerativeFaceVideoEnhancement(0, 1, 0, True, network, pupils=pupils)
    return [
        *picture(faces.gfv(0), faces.raw_enhancement(base)),
        *picture(faces.gfv(0, base=False), intra=False),
        *picture(
            faces.gfv(0, base=False),
            faces.raw_enhancement(GenerativeFaceVideoEnhancement(0, 1, 0)),
            intra=False,
        ),
    ]


def precise(*, of: str) -> Callable[[], Stream]:
    def make() -> Stream:
        faces = Faces()
        if of == "pupils":
            pupils = Pupils((1, 2), (3, 4), 32)
            message = GenerativeFaceVideoEnhancement(0, 1, 0, True, pupils=pupils)
            return picture(faces.gfv(0), faces.raw_enhancement(message))
        layout = CoordinateLayout(32, 1)
        shapes = MatrixLayout(32, (MatrixShape(7, 1, 1, 1),))
        fields: dict[str, object] = {"coordinates": Coordinates(((1, 2),), False, layout)}
        if of == "matrices":
            fields = {"matrices": Matrices((MatrixElement(0, 1),), False, shapes)}
        return with_base(**fields)

    return make


def other_sizes_at_a_key_picture() -> Stream:
    faces = Faces()
    return [
        *picture(faces.raw(base_message(matrices=matrices(MatrixShape(7, 1, 1, 14))))),
        *picture(faces.raw(base_message(matrices=matrices(MatrixShape(7, 1, 1, 15))))),
    ]


def information(rate: int, *, version_of_pictures: int = 1) -> SeiMessage:
    payload = bytearray(INFORMATION.payload)
    payload[17:21] = rate.to_bytes(4, "big")
    payload[23] = version_of_pictures
    return SeiMessage(5, bytes(payload))


def with_information(*messages: SeiMessage | None, twice: bool = False) -> Callable[[], Stream]:
    """Intra pictures with these messages before them; None for nothing."""

    def make() -> Stream:
        units: list[NalUnit] = []
        for message in messages:
            units += parameter_sets()
            if message is not None:
                units += [sei_unit(message, suffix=False)] * (1 + twice)
            units += [slice_unit(), sei_unit(Faces().gfv(0))]
        return units

    return make


def restricted(*restrictions: Restriction) -> SeiMessage:
    return SeiMessage(AI_USAGE_RESTRICTIONS, UsageRestrictions(restrictions).to_payload())


# Ends the payload of the message below at a byte.
EXTENSION = Bits("0b111000100")

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFORMATION

CASES: list[tuple[Callable[[], Stream], Severity, str, str, int | None]] = [
    (cut_message, ERROR, "damage", "keypoints: 2 of them cannot fit", 0),
    (cut_nal_unit, ERROR, "damage", "the SEI NAL unit cannot be read", 0),
    (out_of_range, ERROR, "damage", "gfv_matrix_present_flag is 0, must be 1", 0),
    (no_reference, ERROR, "damage", "no base message gave their layout", 0),
    (pupils_without_base, ERROR, "damage", "pupils: the base message sent none", 0),
    (starts_late, ERROR, "order", "has gfv_cnt 2, must be 0", 1),
    (run_with(0, 1, 3), ERROR, "order", "gfv_cnt 3 comes after 1: 2 missing", 0),
    (run_with(0, 5), ERROR, "order", "gfv_cnt 5 comes after 0: 1 to 4 missing", 0),
    (run_with(0, 1, 2, 1, 2), ERROR, "order", "gfv_cnt 1 comes after 2, must be 3", 0),
    (run_with(0, 1, 1), ERROR, "order", "gfv_cnt 1 comes after 1, must be 2", 0),
    (repeated, INFO, "order", "the message with gfv_cnt 1 is repeated", 0),
    (two_base_messages, ERROR, "order", "another base message of gfv_id 1", 0),
    (never_a_base_message, ERROR, "order", "no base message of gfv_id 1 came before", 0),
    (entry_without_base, WARNING, "order", "a random access point without a base message", 1),
    (picture, INFO, "order", "no face messages", None),
    (more_keypoints, WARNING, "layout", "keypoints (3 in 2D) differ from those of the base", 0),
    (
        new_keypoints_at_a_key_picture,
        *(WARNING, "layout", "keypoints (5 in 2D) differ from those of the base message before", 1),
    ),
    (other_matrices, WARNING, "layout", "(1 of 1x4, type 2) differ from", 0),
    (other_enhancement_matrices, WARNING, "layout", "matrices (1 of 2x3) differ from", 0),
    (in_prefix(Codec.VVC), ERROR, "placement", "(223) must not stand in a prefix SEI", 0),
    (in_prefix(Codec.HEVC), ERROR, "placement", "(223) must not stand in a prefix SEI", 0),
    (suffix_first, ERROR, "placement", "with no picture before it", 0),
    (with_header(0x80, 0xC1), ERROR, "header", "must not be: forbidden_zero_bit is 1", 0),
    (with_header(0x40, 0xC1), ERROR, "header", "must not be: nuh_reserved_zero_bit is 1", 0),
    (with_header(0x00, 0xC0), ERROR, "header", "must not be: nuh_temporal_id_plus1 is 0", 0),
    (with_header(0x00, 0xC3), ERROR, "header", "of TemporalId 2, and its picture has 0", 0),
    (with_header(0x01, 0xC1), WARNING, "header", "of nuh_layer_id 1, and its access unit has", 0),
    (volume_in_suffix, WARNING, "placement", "(137) must not stand in a suffix SEI", 0),
    (enhances_nothing, ERROR, "enhancement", "not there: gfv_id 1 and gfv_cnt 1", 0),
    (enhances_another_picture, ERROR, "enhancement", "not there: gfv_id 1 and gfv_cnt 1", 1),
    (enhances_too_early, WARNING, "enhancement", "comes before the message with gfv_id 1", 0),
    (other_base_flag, WARNING, "enhancement", "gfve_base_picture_flag is 1, but", 1),
    (
        lambda: picture(
            Faces().gfv(0), Faces().raw(GenerativeFaceVideo(300, extension=Bits("0b0000001")))
        ),
        *(WARNING, "reserved", "gfv_id 300 is reserved", 0),
    ),
    (lambda: with_base(network=NetworkReserved(2)), WARNING, "reserved", "nn_mode_idc 2", 0),
    (
        lambda: with_base(matrices=matrices(MatrixShape(40, 1, 1, 1))),
        *(WARNING, "reserved", "matrix type 40 is reserved", 0),
    ),
    (
        lambda: with_base(matrices=matrices(MatrixShape(8, 1, 1, 1)), extension=EXTENSION),
        *(WARNING, "reserved", "bits of extension data", 0),
    ),
    (counted_matrices_late, WARNING, "interchange", "gfv_num_matrices_info after", 0),
    (pose_late, WARNING, "interchange", "types 4, 5 and 6 after other types", 0),
    (predicts_from_base_again, WARNING, "interchange", "not from the base message", 1),
    (
        two_faces_predicted,
        WARNING,
        "interchange",
        "it predicts gfv_id 1 from",
        0,
    ),
    (two_enhanced_faces, WARNING, "interchange", "one state for all faces", 0),
    (network_as_bytes, WARNING, "interchange", "network as bytes (nn_mode_idc 0)", 1),
    (enhancing_network_as_bytes, WARNING, "interchange", "network as bytes", 2),
    (precise(of="coordinates"), WARNING, "interchange", "factor 32, which the coordinates", 0),
    (precise(of="matrices"), WARNING, "interchange", "factor 32, which the matrices", 0),
    (precise(of="pupils"), WARNING, "interchange", "factor 32, which the pupils", 0),
    (other_sizes_at_a_key_picture, WARNING, "interchange", "sizes of the matrices of the first", 1),
    (more_keypoints, WARNING, "interchange", "more keypoints (3) than the base message has (2)", 0),
    (with_information(None), INFO, "user data", "the rate is not stated", None),
    (with_information(information(25), None), WARNING, "user data", "at 1 random access", 1),
    (with_information(None, information(25)), WARNING, "user data", "at 1 random access", 0),
    (with_information(information(25), information(30)), WARNING, "user data", "25 to 30", 1),
    (
        with_information(information(30), information(25), twice=True),
        *(WARNING, "user data", "stand here more than once", 0),
    ),
    (with_information(information(0)), ERROR, "user data", "rate_numerator is 0", 0),
    (
        with_information(information(25, version_of_pictures=3)),
        *(ERROR, "user data", "pictures_per_message is 3", 0),
    ),
    (with_information(mark_message()), INFO, "marking", "marked: Artificially generated faces", 0),
    (
        with_information(mark_message(), mark_message(), mark_message(EDITED)),
        *(INFO, "marking", "marked: Artificially generated faces", 0),
    ),
    (
        with_information(restricted(Restriction(3))),
        *(WARNING, "marking", "is restricted: aur_restriction 3", 0),
    ),
    (
        with_information(restricted(Restriction(1, 7))),
        *(WARNING, "marking", "aur_restriction 1, in context 7", 0),
    ),
    (
        with_information(restricted(Restriction(1, 7, excluded=True))),
        *(WARNING, "marking", "aur_restriction 1, except in context 7", 0),
    ),
    (
        lambda: picture(*Faces().run(1), INFORMATION),
        *(WARNING, "user data", "user data of gfvc stand in prefix SEI only", 0),
    ),
    (with_information(SIGNED), INFO, "marking", "digitally signed: coded pictures, with", 0),
    (
        with_information(SIGNED_WITH_SEI, mark_message()),
        *(INFO, "marking", "coded pictures and SEI messages, with the key at https://key", 0),
    ),
    (
        with_information(SeiMessage(SIGNED_CONTENT_INITIALIZATION, b"\1")),
        *(ERROR, "damage", "dsci_hash_method_type: 8 bits wanted", 0),
    ),
    (
        with_information(SeiMessage(AI_USAGE_RESTRICTIONS, b"\x67\x80")),
        *(ERROR, "damage", "aur_restriction[0] is 6", 0),
    ),
]


def findings_of(path: Path) -> list[Finding]:
    """All findings but the one that every stream without picture hashes has."""
    findings = list(verify_stream(path))
    assert findings[-1].text == "no picture hash"
    return findings[:-1]


def texts_of(path: Path) -> list[str]:
    return [finding.text for finding in findings_of(path)]


@pytest.mark.parametrize(("make", "severity", "check", "text", "number"), CASES)
def test_each_is_found(
    tmp_path: Path,
    make: Callable[[], Stream],
    severity: Severity,
    check: str,
    text: str,
    number: int | None,
) -> None:
    path = write_stream(tmp_path / "stream", make())
    found = [finding for finding in findings_of(path) if finding.check == check]
    assert [finding.severity for finding in found] == [severity] * len(found)
    assert text in found[0].text
    assert found[0].place.picture == number
    # Nothing worse is said of it elsewhere than here, but where a message cannot be read.
    if severity is not ERROR:
        assert all(finding.severity is not ERROR for finding in findings_of(path))


def test_what_changes_is_told_once(tmp_path: Path) -> None:
    """A message at each random access point says the same; what is new is worth a line."""
    once, free = restricted(Restriction(3)), restricted()
    path = write_stream(tmp_path / "stream", with_information(once, once, free, free, once)())
    found = [finding for finding in findings_of(path) if finding.check == "marking"]
    assert [(finding.place.picture, finding.severity) for finding in found] == [
        (0, WARNING),
        (2, INFO),
        (4, WARNING),
    ]


def test_headers_that_do_not_fit_are_told_once(tmp_path: Path) -> None:
    pictures = [unit for _ in range(3) for unit in with_header(0x00, 0xC3)()]
    (found,) = (
        f for f in findings_of(write_stream(tmp_path / "s", pictures)) if f.check == "header"
    )
    assert (found.place.picture, found.place.nal) == (0, 4)


def test_an_edit_breaks_signatures_of_sei_messages(tmp_path: Path) -> None:
    edited = with_information(SIGNED_WITH_SEI, mark_message(EDITED))()
    found = findings_of(write_stream(tmp_path / "stream", edited))
    (warning,) = (f for f in found if f.check == "marking" and f.severity is WARNING)
    assert "faces were edited, and digital signatures cover SEI messages" in warning.text
    assert warning.place.picture == 1
    for signed, text in ((SIGNED, EDITED), (SIGNED_WITH_SEI, GENERATED)):
        whole = with_information(signed, mark_message(text))()
        found = findings_of(write_stream(tmp_path / "stream", whole))
        assert all(f.severity is INFO for f in found if f.check == "marking")


@pytest.mark.parametrize("codec", [Codec.VVC, Codec.HEVC])
def test_there_is_nothing_to_find(tmp_path: Path, codec: Codec) -> None:
    faces = Faces()
    first = [
        *(faces.gfv(0), faces.gfve(0), faces.gfv(1), faces.gfve(1), faces.gfv(2)),
    ]
    second = [faces.gfv(0), faces.gfve(0), *(faces.gfv(i) for i in (1, 2))]
    path = write_stream(
        tmp_path / "stream", picture(*first, codec=codec), picture(*second, codec=codec)
    )
    assert findings_of(path) == []


def test_the_vectors_are_consistent(shared: Path) -> None:
    count = 0
    for path in sorted(shared.glob("vectors/gfv/*.266")):
        (finding,) = findings_of(path)
        assert (finding.severity, finding.check) == (INFO, "user data")
        count += 1
    assert count == 16


@pytest.mark.program
def test_our_streams_are_consistent(small_stream: Path, hevc_stream: Path) -> None:
    assert texts_of(small_stream) == [f"marked: {GENERATED}"]
    assert texts_of(hevc_stream) == [f"marked: {GENERATED}"]


def test_h264_has_one_kind_of_sei(tmp_path: Path) -> None:
    units = [
        *parameter_sets(Codec.AVC),
        sei_unit(INFORMATION, Faces().gfv(0), codec=Codec.AVC),
        slice_unit(Codec.AVC),
    ]
    (finding,) = findings_of(write_stream(tmp_path / "stream.264", units))
    assert (finding.severity, finding.check) == (WARNING, "codec")


def h264_without_messages_at_the_end() -> Stream:
    codec = Codec.AVC
    messages = sei_unit(INFORMATION, *Faces().run(2), codec=codec)
    return [*parameter_sets(codec), messages, slice_unit(codec), slice_unit(codec)]


def h264_of_ordinary_video() -> Stream:
    as_coded = StreamInformation(Fraction(25), 64, 64, Rectangle(0, 0, 64, 64), shown_as_coded=True)
    message = SeiMessage(USER_DATA_UNREGISTERED, as_coded.to_payload())
    codec = Codec.AVC
    return [*parameter_sets(codec), sei_unit(message, codec=codec), slice_unit(codec)]


@pytest.mark.parametrize("make", [h264_without_messages_at_the_end, h264_of_ordinary_video])
def test_h264_of_ours_is_told_as_what_no_decoder_here_takes(
    make: Callable[[], Stream], tmp_path: Path
) -> None:
    """And not what a decoder would leave out of it."""
    path = write_stream(tmp_path / "stream.264", make())
    texts = [each.text for each in findings_of(path) if "gfvc decode" in each.text]
    assert texts == ["the stream is H.264: gfvc decode refuses that, and takes VVC and HEVC"]
    with pytest.raises(GfvcError, match="VVC or HEVC is wanted"):
        read_face_stream(path, no_notes)


def test_h264_of_others_is_nothing_to_decode(tmp_path: Path) -> None:
    units = [*parameter_sets(Codec.AVC), slice_unit(Codec.AVC)]
    found = findings_of(write_stream(tmp_path / "stream.264", units))
    assert [each for each in found if each.severity is not INFO] == []


def test_a_stream_that_breaks_off(tmp_path: Path) -> None:
    path = write_stream(tmp_path / "stream.266", picture(*Faces().run(2)))
    path.write_bytes(path.read_bytes() + b"\0\0\1")
    (finding,) = findings_of(path)
    assert (finding.severity, finding.check) == (ERROR, "damage")
    assert "shorter than its header" in finding.text


def test_places_are_those_of_the_stream(tmp_path: Path) -> None:
    faces = Faces()
    path = write_stream(
        tmp_path / "stream.266",
        picture(faces.gfv(0)),
        [sei_unit(FILLER, faces.gfv(1), faces.gfv(4))],
    )
    (finding,) = findings_of(path)
    place = finding.place
    assert (place.nal, place.picture, place.message) == (5, 0, 2)
    assert place.offset == all_units(path)[5].offset
    assert finding.to_json() == {
        "severity": "error",
        "check": "order",
        "nal": 5,
        "offset": place.offset,
        "picture": 0,
        "message": 2,
        "text": "gfv_cnt 4 comes after 1: 2 to 3 missing",
    }


def test_the_command(tmp_path: Path, command: CommandLine) -> None:
    good = write_stream(tmp_path / "good.266", picture(*Faces().run(2)))
    bad = write_stream(tmp_path / "bad.266", run_with(0, 2)())
    assert command("verify", good).status == 0
    outcome = command("verify", bad)
    assert outcome.status == 1
    assert outcome.out.splitlines() == [
        "error: order: NAL unit 5, byte 93, picture 0, message 0: "
        "gfv_cnt 2 comes after 0: 1 missing",
        "information: picture hash: stream: no picture hash",
    ]
    assert outcome.err == f"gfvc: {bad}: inconsistent (errors: 1, warnings: 0)\n"
    lines = command("verify", bad, "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        finding.to_json() for finding in verify_stream(bad)
    ]


@given(st.data())
def test_damage_is_found_or_harmless(data: st.DataObject) -> None:
    faces = Faces()
    stream = bytearray(join_annex_b(picture(faces.gfv(0), faces.gfve(0), *faces.run(3)[1:])))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stream")
        path.write_bytes(stream)
        refusal = ""
        try:
            findings = list(verify_stream(path))
        except GfvcError as error:
            refusal, findings = str(error), []
    assert findings or refusal
    for text in (refusal, *(finding.text for finding in findings)):
        assert "\n" not in text


def test_a_stream_without_a_picture_is_not_consistent(tmp_path: Path) -> None:
    path = tmp_path / "empty.265"
    path.write_bytes(b"\0\0\0\1\x40\1" + b"\xff" * 1000)
    found = [finding for finding in verify_stream(path) if finding.severity is Severity.ERROR]
    assert [finding.text for finding in found] == ["the stream holds no coded picture"]


def test_each_restriction_of_a_message_is_told_once(tmp_path: Path) -> None:
    often = restricted(*[Restriction(1)] * 1000)
    more = restricted(*[Restriction(1)] * 1001)
    many = restricted(*(Restriction(2, context) for context in range(20)))
    path = write_stream(tmp_path / "in.266", with_information(often, more, many)())
    told = [finding.text for finding in findings_of(path) if "is restricted" in finding.text]
    assert told == [
        "use by artificial intelligence is restricted: aur_restriction 1",
        *(
            f"use by artificial intelligence is restricted: aur_restriction 2, in context {context}"
            for context in range(16)
        ),
        "use by artificial intelligence is restricted in 4 more ways",
    ]
