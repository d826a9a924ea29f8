"""The rate term of the loss, against the writer of the messages."""

from __future__ import annotations

import pytest
import torch

from models.training.losses import as_coded, element_bits, rate_loss
from sei import Element, FaceValues, GfvState, MatrixValues

COMPACT_FEATURE = 7


def written_bits(before: list[int], after: list[int], precision: int) -> int:
    """Bits of the differences in the message that takes a receiver from some values to others."""
    sender, receiver = GfvState(), GfvState()
    trace: list[Element] = []
    for count, row in enumerate((before, after)):
        matrix = MatrixValues(COMPACT_FEATURE, precision, ((tuple(row),),))
        message = sender.predict(
            FaceValues(matrices=(matrix,)), gfv_id=0, gfv_cnt=count, base_picture_flag=count == 0
        )
        trace.clear()
        receiver.read(sender.write(message), trace)
    elements = [item for item in trace if "matrix_delta_element" in item.base_name]
    assert len(elements) >= 2 * len(before)
    return sum(item.bits for item in elements)


@pytest.mark.parametrize("precision", [2, 8])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([5, -3, 0], [6, -5, 64]),
        ([-64, 64, 1], [64, -64, 300]),
        ([0] * 8, [-1, 1, -2, 3, 7, 8, 255, 256]),
    ],
)
def test_bits_are_those_that_the_writer_writes(
    before: list[int], after: list[int], precision: int
) -> None:
    steps = torch.tensor([after]).float() - torch.tensor([before])
    wanted = written_bits(before, after, precision)
    assert int(element_bits(steps, precision).sum()) == wanted
    assert float(rate_loss(steps, precision)) == wanted


def test_values_are_rounded_to_steps_or_disturbed_by_as_much() -> None:
    values = torch.tensor([0.1, 0.2, -0.9])
    assert as_coded(values, 2, training=False).tolist() == [0.0, 0.25, -1.0]
    torch.manual_seed(0)
    noise = as_coded(values.expand(1000, 3), 2, training=True) - values
    assert float(noise.abs().max()) <= 0.125
    assert float(noise.std()) == pytest.approx(0.25 / 12**0.5, rel=0.05)
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
