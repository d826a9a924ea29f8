"""The inspector: library, JSON lines, tree, summary, command line."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sei import (
    Codec,
    Element,
    FaceValues,
    GfveState,
    GfvState,
    MatrixValues,
    NalUnit,
    NetworkPayload,
    NetworkUri,
    SeiMessage,
    StreamError,
    inspect_command,
    join_annex_b,
    make_sei_nal_unit,
    split_annex_b,
)
from sei.__main__ import main
from sei.inspection import (
    InspectedMessage,
    InspectedUnit,
    inspect_units,
    json_object,
)
from sei.stream_summary import StreamSummary
from tests.sei.messages import HandMade, face_messages, hand_made_messages

HAND_MADE = hand_made_messages()
KEY_PICTURE = NalUnit(Codec.VVC, bytes.fromhex("0041 c402 43e0"), start_code_size=4)


def gfv(name: str) -> SeiMessage:
    return SeiMessage(224 if name.startswith("gfve") else 223, HAND_MADE[name].payload)


@pytest.fixture
def stream() -> bytes:
    """Two access units: a base message and one driven by it, enhanced; then odd ones."""
    return join_annex_b(
        [
            KEY_PICTURE,
            make_sei_nal_unit([gfv("base"), gfv("gfve_base"), gfv("driven")], Codec.VVC),
            make_sei_nal_unit([gfv("gfve_driven")], Codec.VVC),
            make_sei_nal_unit([SeiMessage(5, bytes(range(16)) + b"text")], Codec.VVC, suffix=False),
            KEY_PICTURE,
            make_sei_nal_unit([gfv("driven_from_base"), SeiMessage(9, b"\1\2")], Codec.VVC),
        ]
    )


def run(stream: bytes, *options: str) -> tuple[int, str, str]:
    """Status and output of the command, given a stream."""
    parser = argparse.ArgumentParser()
    inspect_command.add_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    status = inspect_command.run(parser.parse_args(options), split_annex_b(stream), out, err)
    return status, out.getvalue(), err.getvalue()


def json_lines(stream: bytes, *options: str) -> list[dict[str, Any]]:
    status, out, err = run(stream, "--json", *options)
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_json_lines(stream: bytes) -> None:
    objects = json_lines(stream)
    assert [(o["nal"], o["nal_unit_type"], o["payload_type"]) for o in objects] == [
        (1, 24, 223), (1, 24, 224), (1, 24, 223), (2, 24, 224), (3, 23, 5),
        (5, 24, 223), (5, 24, 9),
    ]  # fmt: skip
    units = list(split_annex_b(stream))
    for o in objects:
        assert stream[o["offset"] :].startswith(units[o["nal"]].data)
        assert list(o)[:7] == [
            "nal", "nal_unit_type", "offset",
            "payload_type", "payload_name", "payload_size", "elements",
        ]  # fmt: skip
    names = ["base", "gfve_base", "driven", "gfve_driven", None, "driven_from_base", None]
    for o, name in zip(objects, names, strict=True):
        if name is None:
            assert o["elements"] == []
            assert "values" not in o
            assert o["payload_size"] == len(bytes.fromhex(o["payload"]))
        else:
            assert o["elements"] == [list(element) for element in HAND_MADE[name].elements]
            assert o["payload_size"] == len(HAND_MADE[name].payload)
            assert "payload" not in o
    assert objects[0]["payload_name"] == "generative_face_video"
    assert objects[1]["payload_name"] == "generative_face_video_enhancement"
    assert objects[0]["values"] == {
        "keypoints": [[0.125, -0.0625], [0.125, 0.125]],
        "matrices": [{"type": 8, "values": [[[2.25]]]}],
    }
    assert objects[1]["values"] == {
        "matrices": [{"type": None, "values": [[[0.0, 0.125, 0.25]], [[-1.0], [-1.125]]]}],
        "pupils": [[0.0, 0.0], [0.09375, 0.0]],
    }
    assert objects[3]["values"]["pupils"] == [[0.0, -0.0625], [0.09375, 0.0]]
    assert objects[4]["decoded"] == {
        "uuid_iso_iec_11578": bytes(range(16)).hex(),
        "user_data_payload_byte": b"text".hex(),
    }
    assert objects[6] == {
        "nal": 5, "nal_unit_type": 24, "offset": objects[5]["offset"], "payload_type": 9,
        "payload_name": "scene_info", "payload_size": 2, "elements": [], "payload": "0102",
    }  # fmt: skip


def test_text_and_bytes_of_networks_in_json() -> None:
    values = FaceValues(matrices=(MatrixValues(7, 2, (((1,),),)),))
    state = GfvState()
    payloads = [
        state.write(
            state.predict(values, gfv_id=0, gfv_cnt=0, base_picture_flag=True, network=network)
        )
        for network in (NetworkUri("tag:ä", "https://b"), NetworkPayload(b"\x01\xab"))
    ]
    unit = make_sei_nal_unit([SeiMessage(223, payload) for payload in payloads], Codec.VVC)
    uri, data = json_lines(unit.to_annex_b())
    assert ["gfv_nn_tag_uri", "tag:ä"] in uri["elements"]
    assert ["gfv_nn_uri", "https://b"] in uri["elements"]
    assert data["elements"][-1] == ["gfv_nn_payload_byte", "01ab"]
    assert not any("alignment" in name for o in (uri, data) for name, _ in o["elements"])


@pytest.mark.parametrize(
    ("payload_type", "codec", "payload", "name", "decoded"),
    [
        (4, Codec.VVC, "b5 00 3c", "user_data_registered_itu_t_t35",
         {"itu_t_t35_country_code": 0xB5, "itu_t_t35_payload_byte": "003c"}),
        (4, Codec.HEVC, "ff 07 3c", "user_data_registered_itu_t_t35",
         {"itu_t_t35_country_code": 255, "itu_t_t35_country_code_extension_byte": 7,
          "itu_t_t35_payload_byte": "3c"}),
        (132, Codec.VVC, "01 00 0001 0002 0003", "decoded_picture_hash",
         {"dph_sei_hash_type": 1, "dph_sei_single_component_flag": 0,
          "dph_sei_reserved_zero_7bits": 0, "picture_crc[0]": "0001", "picture_crc[1]": "0002",
          "picture_crc[2]": "0003"}),
        (132, Codec.VVC, "02 80 00000001", "decoded_picture_hash",
         {"dph_sei_hash_type": 2, "dph_sei_single_component_flag": 1,
          "dph_sei_reserved_zero_7bits": 0, "picture_checksum[0]": "00000001"}),
        (132, Codec.HEVC, "00" + "ab" * 16, "decoded_picture_hash",
         {"hash_type": 0, "picture_md5[0]": "ab" * 16}),
        (137, Codec.HEVC, "0001 0002 0003 0004 0005 0006 0007 0008 0000000a 0000000b",
         "mastering_display_colour_volume",
         {"display_primaries_x[0]": 1, "display_primaries_y[0]": 2, "display_primaries_x[1]": 3,
          "display_primaries_y[1]": 4, "display_primaries_x[2]": 5, "display_primaries_y[2]": 6,
          "white_point_x": 7, "white_point_y": 8, "max_display_mastering_luminance": 10,
          "min_display_mastering_luminance": 11}),
        (144, Codec.AVC, "03e8 0190", "content_light_level_info",
         {"max_content_light_level": 1000, "max_pic_average_light_level": 400}),
        # 0000000000000010 | 010 1 010 0 | "t" 0 "u" 0
        (210, Codec.VVC, "0002 54 74 00 75 00", "nn_post_filter_characteristics",
         {"nnpfc_purpose": 2, "nnpfc_id": 1, "nnpfc_base_flag": 1, "nnpfc_mode_idc": 1,
          "nnpfc_tag_uri": "t", "nnpfc_uri": "u"}),
        # 010 1 1000
        (211, Codec.VVC, "58", "nn_post_filter_activation",
         {"nnpfa_target_id": 1, "nnpfa_cancel_flag": 1}),
        (142, Codec.VVC, "00", "colour_transform_info", None),
        (142, Codec.HEVC, "00", "colour_remapping_info", None),
        (9999, Codec.VVC, "00", "unknown", None),
    ],
)  # fmt: skip
def test_other_payloads(
    payload_type: int, codec: Codec, payload: str, name: str, decoded: dict[str, Any] | None
) -> None:
    unit = make_sei_nal_unit([SeiMessage(payload_type, bytes.fromhex(payload))], codec)
    _, message = inspect_units([unit])
    assert isinstance(message, InspectedMessage)
    o = json_object(message)
    assert o["payload_name"] == name
    assert o.get("decoded") == decoded
    assert bytes.fromhex(o["payload"]) == bytes.fromhex(payload)
    assert "error" not in o


def test_the_tree_says_what_is_known_by_name_only() -> None:
    messages = [SeiMessage(216, b"\1\2"), SeiMessage(219, b"\2\x80"), SeiMessage(9999, b"\1")]
    _, out, _ = run(make_sei_nal_unit(messages, Codec.VVC, suffix=False).to_annex_b())
    lines = [line.strip() for line in out.splitlines()]
    assert "source_picture_timing_info (216), 2 bytes, known by name only" in lines
    assert "text_description (219), 2 bytes" in lines
    assert "unknown (9999), 1 bytes" in lines


def test_damaged_messages_are_reported_and_the_rest_goes_on() -> None:
    damaged = SeiMessage(223, HAND_MADE["base"].payload[:3])
    units = [
        make_sei_nal_unit([gfv("base"), damaged, SeiMessage(144, b"\0"), gfv("driven")], Codec.VVC),
        NalUnit(Codec.VVC, bytes.fromhex("00c1 09 01 aa df 7f 80")),
        make_sei_nal_unit([gfv("driven_from_base")], Codec.VVC),
    ]
    status, out, err = run(join_annex_b(units), "--json")
    assert status == 1
    assert err.startswith("error: NAL unit 0 at byte 3: gfv_coordinate_dy_sign")
    assert err.endswith(" (and 2 more like this)\n")
    objects = [json.loads(line) for line in out.splitlines()]
    assert [o.get("error", "")[:22] for o in objects] == [
        "", "gfv_coordinate_dy_sign", "max_content_light_leve", "", "", "payloadSize 127 of pay",
        "",
    ]  # fmt: skip
    # Elements before the damage are there; the values are those of sound messages only.
    assert objects[1]["elements"][0] == ["gfv_id", 0]
    assert "values" not in objects[1]
    assert objects[2]["payload"] == "00"
    assert objects[3]["elements"] == [list(e) for e in HAND_MADE["driven"].elements]
    assert objects[5]["payload_type"] is objects[5]["payload_size"] is None
    assert objects[6]["values"]["keypoints"] == [[0.125, -0.0625], [0.125, -0.1875]]
    for options in ([], ["--summary"], ["--bits"], ["--summary", "--json"]):
        assert run(join_annex_b(units), *options)[::2] == (1, err)


def test_a_break_in_the_stream_is_reported_after_what_came_before(stream: bytes) -> None:
    status, out, err = run(stream + b"\0\0\1\0\0\0\1\0", "--json")
    assert status == 1
    assert err.startswith("error: a NAL unit of 0 bytes is shorter than its header (at byte ")
    assert len(out.splitlines()) == 7


def test_units_without_a_place_in_a_file() -> None:
    """From a container the offset is unknown."""
    unit, message = inspect_units([make_sei_nal_unit([gfv("base")], Codec.HEVC)])
    assert isinstance(unit, InspectedUnit)
    assert isinstance(message, InspectedMessage)
    assert json_object(message)["offset"] is None
    assert json_object(message)["nal_unit_type"] == 40


def test_payload_filter(stream: bytes) -> None:
    assert [o["payload_type"] for o in json_lines(stream, "--payload", "223,224")] == [
        223, 224, 223, 224, 223,
    ]  # fmt: skip
    assert [o["payload_type"] for o in json_lines(stream, "--payload", "5")] == [5]


def test_tree(stream: bytes) -> None:
    status, out, err = run(stream, "--fps", "25")
    assert (status, err) == (0, "")
    for line in (
        "access unit 0",
        "  NAL unit 0 IDR_N_LP (8) at byte 4, 6 bytes, random access point",
        "    generative_face_video (223), 7 bytes",
        "      gfv_coordinate_precision_factor_minus1 3  precision 4, step 1/16",
        "      keypoint 1: dx +0 dy +3  = (0.125, 0.125)",
        "      gfv_matrix_type_idx[0] 8  application determined",
        "      pupils left (0, 0), right (0.09375, 0)",
        '      user_data_payload_byte "text"',
        "access unit 1",
        "      0102",
    ):
        assert line in out.splitlines(), line
    assert "\x1b" not in out
    assert f"{len(stream)} bytes, " in out
    assert out.count("keypoint ") == 6


def test_tree_warns_of_misplaced_messages() -> None:
    units = [
        make_sei_nal_unit([gfv("base")], Codec.VVC, suffix=False),
        make_sei_nal_unit([SeiMessage(144, bytes(4))], Codec.VVC, suffix=True),
    ]
    _, out, _ = run(join_annex_b(units))
    assert "generative_face_video (223), 7 bytes  belongs into a suffix SEI NAL unit" in out
    assert "content_light_level_info (144), 4 bytes  belongs into a prefix SEI NAL unit" in out
    _, out, _ = run(make_sei_nal_unit([gfv("base")], Codec.AVC).to_annex_b())
    assert "belongs" not in out


def test_tree_shows_no_control_characters_of_the_stream() -> None:
    state = GfvState()
    message = state.predict(
        FaceValues(matrices=(MatrixValues(7, 2, (((1,),),)),)),
        gfv_id=0, gfv_cnt=0, base_picture_flag=True, network=NetworkUri("\x1b[31m", "\x07"),
    )  # fmt: skip
    unit = make_sei_nal_unit([SeiMessage(223, state.write(message))], Codec.VVC)
    _, out, _ = run(unit.to_annex_b())
    assert 'gfv_nn_tag_uri "\\u001b[31m"' in out
    assert "\x1b" not in out


def test_tree_is_coloured_on_a_terminal(stream: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    parser = argparse.ArgumentParser()
    inspect_command.add_arguments(parser)
    out = Terminal()
    assert inspect_command.run(parser.parse_args([]), split_annex_b(stream), out) == 0
    assert "\x1b[32mgenerative_face_video (223)" in out.getvalue()


def test_summary(stream: bytes) -> None:
    status, out, _ = run(stream, "--summary", "--json", "--fps", "25")
    assert status == 0
    summary = json.loads(out)
    assert summary["bytes"] == len(stream)
    assert summary["access_units"] == 2
    assert summary["pictures"] == 3  # GFV messages; an enhancement is of the same picture
    assert summary["kbps"] == pytest.approx(8 * len(stream) * 25 / 3 / 1000)
    assert sum(row["bytes"] for row in summary["nal_units"].values()) == len(stream)
    assert summary["nal_units"]["SUFFIX_SEI"]["count"] == 3
    assert summary["messages"]["generative_face_video (223)"]["count"] == 3
    assert summary["errors"] == 0
    used = sum(
        len(HAND_MADE[name].digits)
        for name in ("base", "gfve_base", "driven", "gfve_driven", "driven_from_base")
    )
    assert sum(row["bits"] for row in summary["elements"].values()) == used
    assert summary["elements"]["gfv_coordinate_dx_abs"] == {
        "count": 6,
        "bits": 3 + 1 + 3 + 1 + 1 + 1,
    }
    assert "kbps" not in json.loads(run(stream, "--summary", "--json")[1])
    shares = summary["shares"]
    assert sum(shares.values()) == 8 * len(stream)
    assert shares["coordinates"] == sum(
        row["bits"]
        for name, row in summary["elements"].items()
        if name.startswith("gfv_coordinate_") and name.endswith(("_abs", "_sign_flag"))
    )
    base_layer = (unit.size for unit in split_annex_b(stream) if not unit.is_sei)
    assert shares["base layer"] == 8 * sum(base_layer)


@pytest.mark.parametrize("selected", ["224", "223,224", "5", "999999999"])
def test_shares_of_selected_messages(stream: bytes, selected: str) -> None:
    """What is not selected is a share of its own, not headers of face messages."""
    summary = json.loads(run(stream, "--summary", "--json", "--payload", selected)[1])
    shares = summary["shares"]
    assert sum(shares.values()) == 8 * len(stream)
    everything = json.loads(run(stream, "--summary", "--json")[1])["shares"]
    assert shares["base layer"] == everything["base layer"]
    faces = sum(row["bytes"] for name, row in summary["messages"].items() if "face" in name)
    of_faces = {"coordinates", "matrices", "pupils", "networks", "face message headers"}
    assert sum(bits for share, bits in shares.items() if share in of_faces) == 8 * faces
    assert shares["SEI not selected"] > 0


def test_summary_and_bits_for_people(stream: bytes) -> None:
    _, summary, _ = run(stream, "--summary", "--fps", "25")
    assert "generative_face_video_enhancement (224)" in summary
    assert "kbit/s at 25 pictures/s" in summary
    assert "gfv_coordinate_dx_abs" not in summary
    _, bits, _ = run(stream, "--bits")
    assert "gfv_coordinate_dx_abs" in bits
    assert "pictures" not in bits


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25.0), ("29.97", 29.97), ("30000/1001", 30000 / 1001), ("1000/1", 1e3)],
)
def test_rates_are_numbers_or_fractions(stream: bytes, text: str, rate: float) -> None:
    summary = json.loads(run(stream, "--summary", "--json", "--fps", text)[1])
    assert summary["kbps"] == pytest.approx(8 * len(stream) * rate / summary["pictures"] / 1000)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x", "'x' is not a rate such as 25 or 30000/1001"),
        ("nan", "'nan' is not a rate such as"),
        ("25/0", "'25/0' is not a rate such as"),
        ("1e4/3", "'1e4/3' is not a rate such as"),
        ("9" * 400 + "/1", "is not a rate such as"),
        ("0", "'0' is not a rate above 0 and up to 1000 pictures a second"),
        ("-1/2", "is not a rate above 0"),
        ("30000/1", "is not a rate above 0 and up to 1000"),
        ("inf", "is not a rate above 0"),
    ],
)
def test_what_is_no_rate_is_told(text: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["file", f"--fps={text}"])
    assert wrong in capsys.readouterr().err


def test_pictures_without_face_messages() -> None:
    summary = StreamSummary()
    for inspected in inspect_units([KEY_PICTURE] * 3):
        summary.add(inspected)
    assert (summary.access_units, summary.pictures) == (3, 3)
    assert StreamSummary().kbps(25) == 0


def test_two_faces_of_a_picture_count_once() -> None:
    digits = HAND_MADE["base"].digits
    second = HandMade([("010" + digits[1:] + "1", None, 0)]).payload
    summary = StreamSummary()
    unit = make_sei_nal_unit([gfv("base"), SeiMessage(223, second)], Codec.VVC)
    for inspected in inspect_units([KEY_PICTURE, unit, KEY_PICTURE, unit]):
        summary.add(inspected)
    assert summary.messages["generative_face_video (223)"] == 4
    assert summary.pictures == 2


def test_memory_does_not_grow_with_the_stream() -> None:
    unit = make_sei_nal_unit([gfv("base"), gfv("driven")], Codec.VVC)
    # Names of elements are remembered: let them be so before.
    assert sum(1 for _ in inspect_units([unit] * 10)) == 30
    tracemalloc.start()
    count = sum(1 for _ in inspect_units(unit for _ in range(500)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1500
    assert peak < 300_000  # 500 NAL units of 20 bytes, 1000 messages


def test_what_the_stream_raises_is_passed_on() -> None:
    def units() -> Iterator[NalUnit]:
        yield KEY_PICTURE
        raise StreamError("gone", 7)

    inspected = inspect_units(units())
    assert isinstance(next(inspected), InspectedUnit)
    with pytest.raises(StreamError, match="gone"):
        next(inspected)


@pytest.mark.parametrize(
    "options", [["--payload", "x"], ["--payload", "-1"], ["--payload", ""], ["--fps", "0"],
                ["--fps", "nan"], ["--fps", "x"]],
)  # fmt: skip
def test_wrong_options_are_usage_errors(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["file", *options])
    assert caught.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_command_reads_files(
    stream: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stream.266"
    path.write_bytes(stream)
    assert main([str(path), "--json"]) == 0
    assert capsys.readouterr().out == run(stream, "--json")[1]
    assert main([str(tmp_path / "none.266")]) == 1
    assert "No such file" in capsys.readouterr().err
    path.write_bytes(b"")
    assert main([str(path), "--summary"]) == 1
    assert capsys.readouterr() == ("", f"error: {path}: is empty\n")
    path.write_bytes(b"text")
    assert main([str(path)]) == 1
    assert "not an Annex B byte stream" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_command_takes_the_codec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd"
    path.write_bytes(b"\0\0\1\xff\xff\0\0\1\xff\xff")
    assert main([str(path)]) == 1
    assert "name the codec" in capsys.readouterr().err
    assert main([str(path), "--codec", "hevc"]) == 0
    assert "UNSPEC63" in capsys.readouterr().out


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sei", *arguments]


def test_command_reads_stdin(stream: bytes) -> None:
    process = subprocess.run(command("-", "--json"), input=stream, capture_output=True, check=True)
    assert process.stdout.decode() == run(stream, "--json")[1]
    assert process.stderr == b""


def test_command_ends_quietly_when_nobody_reads(stream: bytes, tmp_path: Path) -> None:
    path = tmp_path / "long.266"
    path.write_bytes(stream * 400)
    process = subprocess.Popen(
        command(str(path), "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize("option", ["--json", "--summary"])
def test_start_is_quick(stream: bytes, tmp_path: Path, option: str) -> None:
    path = tmp_path / "short.266"
    path.write_bytes(stream)
    before = os.times()
    subprocess.run(command(str(path), option), capture_output=True, check=True)
    after = os.times()
    seconds = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    assert seconds < 1.0  # 0.5 on an idle machine


def test_inspector_agrees_with_the_reader(shared: Path) -> None:
    """The inspector is the reader with a trace: same elements, same values."""
    path = shared / "vectors/gfv/gfve_pupils.266"
    inspected = [
        each
        for each in inspect_units(split_annex_b(path.read_bytes()))
        if isinstance(each, InspectedMessage)
    ]
    gfv_state, gfve_state = GfvState(), GfveState()
    messages = list(face_messages(path))
    assert len(messages) == len(inspected)
    for message, each in zip(messages, inspected, strict=True):
        state = gfv_state if message.payload_type == 223 else gfve_state
        trace: list[Element] = []
        assert state.read(message.payload, trace) == each.message
        assert (trace, state.values) == (list(each.elements), each.values)
