from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from base_codec_adapters import (
    BT709_LIMITED,
    MAX_QP,
    ColourDescription,
    DecodeLimits,
    EncodeRequest,
    RequestInvalidError,
)
from tests.base_codec_adapters.conftest import MakePicture


def test_defaults(make_picture: MakePicture) -> None:
    request = EncodeRequest((make_picture(62, 34),), qp=37)
    assert (request.width, request.height) == (62, 34)
    assert request.fps == Fraction(25)
    assert request.colour == BT709_LIMITED
    assert (BT709_LIMITED.primaries, BT709_LIMITED.transfer, BT709_LIMITED.matrix) == (1, 1, 1)
    assert not BT709_LIMITED.full_range
    assert MAX_QP == {"vvc": 63, "hevc": 51}


def test_any_sequence_becomes_a_tuple(make_picture: MakePicture) -> None:
    pictures: Any = [make_picture(), make_picture()]
    request = EncodeRequest(pictures, qp=0, fps=Fraction(30000, 1001))
    pictures.clear()
    assert len(request.pictures) == 2


def test_refused(make_picture: MakePicture) -> None:
    picture = make_picture()
    with pytest.raises(RequestInvalidError, match="at least one picture"):
        EncodeRequest((), qp=30)
    with pytest.raises(RequestInvalidError, match=r"differ in size: \[\(32, 64\), \(64, 64\)\]"):
        EncodeRequest((picture, make_picture(32)), qp=30)
    for qp in (-1, 64):
        with pytest.raises(RequestInvalidError, match=f"QP is {qp}: give 0..63"):
            EncodeRequest((picture,), qp=qp)
        with pytest.raises(RequestInvalidError, match=f"QP of the key picture is {qp}: give 0..63"):
            EncodeRequest((picture,), qp=30, structure="low_delay", key_qp=qp)
    with pytest.raises(RequestInvalidError, match="all pictures are key pictures: give qp, or"):
        EncodeRequest((picture,), qp=30, key_qp=20)
    with pytest.raises(RequestInvalidError, match="frame rate"):
        EncodeRequest((picture,), qp=30, fps=Fraction(0))
    with pytest.raises(RequestInvalidError, match="colour matrix is 256"):
        ColourDescription(1, 1, 256, full_range=False)


@pytest.mark.parametrize("name", ["width", "height", "area", "pictures", "total_bytes"])
def test_limits_below_one(name: str) -> None:
    with pytest.raises(RequestInvalidError, match=f"limit {name} is 0: give at least 1"):
        DecodeLimits(**{name: 0})
