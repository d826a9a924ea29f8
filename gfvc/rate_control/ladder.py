"""From the finest to the coarsest settings, each with a fair split of the bits.

A step is a quantisation parameter of key pictures, and what goes with it: the Lagrangian multiplier
of the face parameters, how often there is a predicted coded picture, and how coarse it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from base_codec_adapters import MAX_QP, Codec
from gfvc.options.encoding import (
    DEFAULT_KEY_QP,
    DEFAULT_MULTIPLIER,
    EncodeOptions,
    Quality,
)

_KEY_QPS = range(2, 51)
# The multiplier doubles for so many steps of the quantisation parameter: the pairs that
# benchmarks/rate_split.py finds worth their rate (docs/measured/decisions.md).
_QP_STEPS_PER_DOUBLING = 4.0
_KEY_QP_OF_QUALITY: dict[Quality, int] = {"low": 40, "medium": 32, "high": 26, "best": 22}

# In whole pictures parameters are a small share of the bits, and where these are few, the face need
# not be further off (docs/measured/whole_pictures.md).
_MOST_OF_WHOLE_PICTURES = DEFAULT_MULTIPLIER

# With predicted coded pictures, these are so many steps of the quantisation parameter coarser than
# the key picture, whose texture is seen in all that is drawn; less so where bits are many.
_COARSER = 10
_COARSER_PER_STEP = 0.5
# But no coarser than this: eyes and mouths of coarser ones are smears, and spoil what is drawn from
# them. Where bits are fewer still, only fewer pictures are coded.
_COARSEST = DEFAULT_KEY_QP + _COARSER
# Where all pictures are coded with reordering, they are so much coarser: on clips of which a sixth
# and more of the pictures was coded, they had about the MS-SSIM of the whole so, when filtered.
_ALL_CODED_COARSER = 2
# Seconds from coded picture to coded picture at the default step, which double for so many steps:
# where they are chosen by what they show, pictures no further apart are thought of.
_CODED_SECONDS = 0.48
_STEPS_PER_DOUBLING = 3.5
# The Lagrangian multiplier of predicted coded pictures at the default step, and the steps for which
# it doubles: on the mean of clips they come about as often.
_CODED_PRICE = 0.014
_STEPS_PER_DOUBLED_PRICE = 1.6
# That of control grids is so much of it, since what these correct is measured in larger pictures;
# where it is larger than this, so much of this. Whole pictures have more beside the face.
_GRID_SHARE, _GRID_SHARE_OF_WHOLES = 0.8, 0.4
_MOST_OF_GRIDS = 0.05


@dataclass(frozen=True, slots=True)
class RateSettings:
    """What decides how many bits a clip takes.

    `key_qp` is the quantisation parameter of key pictures, 0..63 for VVC and 0..51 for HEVC;
    `symbol_price` the Lagrangian multiplier: the distortion that a bit of the face parameters may
    cost. `coded_qp` is the quantisation parameter of predicted coded pictures; None where there are
    none. They come about every `coded_seconds`: at equal distances, or, if `coded_price` is not
    None, where they pay by this Lagrangian multiplier: seconds of wholly wrong pictures that a
    kilobit has to spare.
    """

    key_qp: int
    symbol_price: float
    coded_qp: int | None = None
    coded_seconds: float | None = None
    coded_price: float | None = None

    @property
    def arguments(self) -> str:
        """The options of `gfvc encode` that ask for them."""
        text = f"--key-qp {self.key_qp} --symbol-price {self.symbol_price:.3g}"
        if self.coded_qp is None or self.coded_seconds is None:
            return text
        text += f" --coded-qp {self.coded_qp}"
        if self.coded_price is not None:
            return text
        return f"{text} --coded-interval {self.coded_seconds:.3g}"


@dataclass(frozen=True, slots=True)
class Coding:
    """What is coded.

    Attributes:
        codec: of the coded pictures.
        predicted: whether some of these are predicted.
        whole_pictures: whether they are more than the square of a face.
    """

    codec: Codec
    predicted: bool = False
    whole_pictures: bool = False


def ladder(coding: Coding) -> tuple[RateSettings, ...]:
    """Settings in the order of falling rate; those of the encoder's defaults are among them.

    With predicted coded pictures there is one more step from one key QP to the next: predicted
    pictures get coarser and fewer first, then all is a step on. That ends where predicted pictures
    are the coarsest.
    """
    steps_of_keys = [_step(coding, qp) for qp in _KEY_QPS]
    if not coding.predicted:
        return tuple(steps_of_keys)
    steps = []
    for step, following in pairwise(steps_of_keys):
        steps.append(step)
        if step.coded_qp is not None and step.coded_qp < _COARSEST:
            coarser = following.coded_qp, following.coded_price
            steps.append(replace(step, coded_qp=coarser[0], coded_price=coarser[1]))
    return (*steps, steps_of_keys[-1])


def default_step(coding: Coding) -> int:
    """Index in the ladder of the encoder's defaults."""
    return _KEY_QPS.index(DEFAULT_KEY_QP) * (2 if coding.predicted else 1)


def quality_settings(quality: Quality, coding: Coding) -> RateSettings:
    """The step of the ladder that a preset means."""
    return _step(coding, _KEY_QP_OF_QUALITY[quality])


def key_qp_asked_for(options: EncodeOptions) -> int | None:
    """The quantisation parameter of key pictures by options; None where it is searched for."""
    if options.bitrate is not None:
        return None
    if options.quality is not None:
        return _KEY_QP_OF_QUALITY[options.quality]
    return DEFAULT_KEY_QP if options.key_qp is None else options.key_qp


def settings_asked_for(options: EncodeOptions, coding: Coding) -> RateSettings:
    """The settings of options that have none searched."""
    if options.quality is not None:
        return quality_settings(options.quality, coding)
    key_qp = key_qp_asked_for(options)
    assert key_qp is not None
    step = _step(coding, key_qp)
    multiplier = DEFAULT_MULTIPLIER if options.symbol_price is None else options.symbol_price
    if not coding.predicted:
        return replace(step, symbol_price=multiplier)
    coded_qp = step.coded_qp if options.coded_qp is None else options.coded_qp
    assert coded_qp is not None
    return replace(
        step,
        symbol_price=step.symbol_price if options.symbol_price is None else multiplier,
        coded_qp=coded_qp,
        coded_seconds=(
            step.coded_seconds if options.coded_interval is None else options.coded_interval
        ),
        coded_price=_coded_price(key_qp, coded_qp) if options.coded_interval is None else None,
    )


def all_coded_qp(settings: RateSettings, codec: Codec) -> int:
    """The quantisation parameter of segments of which all pictures are coded, with reordering.

    So they look a little better than where the settings have some of them drawn. It goes half by
    the key picture: then it rises by no more than 1 from a step of the ladder to the next.
    """
    assert settings.coded_qp is not None
    usual = _usual_coded_qp(codec, settings.key_qp)
    return min((usual + settings.coded_qp) // 2 + _ALL_CODED_COARSER, MAX_QP[codec])


def grid_multiplier(settings: RateSettings, coding: Coding) -> float:
    """The Lagrangian multiplier of control grids: seconds of wrong pictures for a kilobit."""
    assert settings.coded_qp is not None
    price = settings.coded_price
    if price is None:
        price = _coded_price(settings.key_qp, settings.coded_qp)
    share = _GRID_SHARE_OF_WHOLES if coding.whole_pictures else _GRID_SHARE
    return share * min(price, _MOST_OF_GRIDS)


def _step(coding: Coding, key_qp: int) -> RateSettings:
    steps = key_qp - DEFAULT_KEY_QP
    multiplier = DEFAULT_MULTIPLIER * 2.0 ** (steps / _QP_STEPS_PER_DOUBLING)
    if not coding.predicted:
        return RateSettings(key_qp, multiplier)
    if coding.whole_pictures:
        multiplier = min(multiplier, _MOST_OF_WHOLE_PICTURES)
    coded_qp = _usual_coded_qp(coding.codec, key_qp)
    seconds = _CODED_SECONDS * 2.0 ** (steps / _STEPS_PER_DOUBLING)
    return RateSettings(key_qp, multiplier, coded_qp, seconds, _coded_price(key_qp, coded_qp))


def _usual_coded_qp(codec: Codec, key_qp: int) -> int:
    """That of predicted coded pictures that goes with a quantisation parameter of key pictures."""
    steps = key_qp - DEFAULT_KEY_QP
    coarser = round(_COARSER + min(0.0, _COARSER_PER_STEP * steps))
    return min(max(key_qp, min(key_qp + coarser, _COARSEST)), MAX_QP[codec])


def _coded_price(key_qp: int, coded_qp: int) -> float:
    """The Lagrangian multiplier that goes with the quantisation parameters of coded pictures.

    It goes by that of predicted ones, and where these are the coarsest, by that of key pictures.
    """
    steps = coded_qp - _COARSEST
    if steps >= 0:
        steps = max(steps, key_qp - DEFAULT_KEY_QP)
    return float(_CODED_PRICE * 2.0 ** (steps / _STEPS_PER_DOUBLED_PRICE))
