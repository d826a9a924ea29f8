"""Face messages in the syntax of the older draft that HM 18.0 has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bitstring import pack

from sei import (
    ChromaKey,
    ChromaKeyThreshold,
    Codec,
    Coordinates,
    Element,
    GenerativeFaceVideo,
    GfvState,
    SeiError,
    SeiMessage,
    join_annex_b,
    make_sei_nal_unit,
)
from sei.__main__ import main

# gfv_id 0, gfv_cnt 0, base, no network, chroma key with the second value, no lower threshold and an
# upper one of 80, confident, keypoints unpredicted at precision factor 2: one in 2D at (1, -2).
BASE = pack(
    "ue=0, ue=0, 0b1, 0b0, 0b1, 0b0, 0b1, uint:8=200, 0b0, 0b0, 0b1, ue=80,"
    "0b0, 0b1, 0b0, ue=1, ue=0, 0b0, ue=1, 0b0, ue=2, 0b1, 0b0, 0b1"
).tobytes()
# gfv_cnt 1, fusion flag, confident, predicted keypoints: (0, 1) more.
DRIVEN = pack("ue=0, ue=1, 0b1, 0b0, 0b1, 0b1, ue=0, ue=1, 0b0, 0b0, 0b1").tobytes()


def test_reading() -> None:
    state = GfvState(hm18=True)
    trace: list[Element] = []
    base = state.read(BASE, trace)
    assert base.chroma_key == ChromaKey(0, (None, 200, None), ChromaKeyThreshold(48, 31))
    assert [(e.name, e.value) for e in trace][4:11] == [
        ("gfv_chroma_key_info_present_flag", 1),
        ("gfv_chroma_key_value_present_flag[0]", 0),
        ("gfv_chroma_key_value_present_flag[1]", 1),
        ("gfv_chroma_key_value[1]", 200),
        ("gfv_chroma_key_value_present_flag[2]", 0),
        ("gfv_chroma_key_thr_present_flag[0]", 0),
        ("gfv_chroma_key_thr_present_flag[1]", 1),
    ]
    driven = state.read(DRIVEN)
    assert driven.drive_picture_fusion_flag
    assert driven.coordinates == Coordinates(((0, 1),), True, None)
    assert state.values.keypoints == ((1, -1),)


def test_the_syntax_of_today_reads_something_else() -> None:
    state = GfvState()
    # Without a chroma key the base message is the same: confident, one keypoint at (1, -2).
    keypoints = "0b1, 0b0, ue=1, ue=0, 0b0, ue=1, 0b0, ue=2, 0b1, 0b0, 0b1"
    base = pack(f"ue=0, ue=0, 0b1, 0b0, 0b0, 0b0, {keypoints}")
    state.read(base.tobytes())
    with pytest.raises(SeiError):
        state.read(DRIVEN)


@pytest.mark.parametrize("threshold", [None, ChromaKeyThreshold(20, 3), ChromaKeyThreshold(90, -5)])
def test_writing_goes_round(threshold: ChromaKeyThreshold | None) -> None:
    sender, receiver = GfvState(hm18=True), GfvState(hm18=True)
    keypoints = GfvState(hm18=True).read(BASE).coordinates
    base = GenerativeFaceVideo(
        0, 0, True, None, ChromaKey(0, (1, None, 3), threshold), coordinates=keypoints
    )
    assert receiver.read(sender.write(base)) == base
    driven = GenerativeFaceVideo(
        0, 1, drive_picture_fusion_flag=True, coordinates=Coordinates(((2, 3),), True, None)
    )
    assert receiver.read(sender.write(driven)) == driven


def test_inspection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    messages = [SeiMessage(223, payload) for payload in (BASE, DRIVEN)]
    path = tmp_path / "hm.265"
    path.write_bytes(join_annex_b([make_sei_nal_unit(messages, Codec.HEVC)]))
    assert main([str(path), "--codec", "hevc", "--draft", "hm18", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["values"]["keypoints"] for line in lines] == [[[0.25, -0.5]], [[0.25, -0.25]]]
    assert main([str(path), "--codec", "hevc", "--draft", "hm18"]) == 0
    tree = capsys.readouterr().out
    assert "gfv_chroma_key_thr_value[1] 80" in tree
    assert main([str(path), "--codec", "hevc"]) == 1
