from __future__ import annotations

from fractions import Fraction

from gfvc.key_pictures import KeyPictureSchedule


def run(schedule: KeyPictureSchedule, faces: str) -> list[int]:
    """Feed a clip, one letter a picture ("f" shows a face); return where key pictures are sent."""
    keys = []
    for index, letter in enumerate(faces):
        if schedule.due() and letter == "f":
            schedule.key_sent()
            keys.append(index)
        else:
            schedule.driven(face=letter == "f")
    return keys


def test_the_first_face_is_a_key_picture() -> None:
    assert run(KeyPictureSchedule(Fraction(25)), "---fff") == [3]


def test_a_face_lost_and_found_gets_a_new_key_picture() -> None:
    assert run(KeyPictureSchedule(Fraction(25)), "fff" + "-" * 5 + "fff") == [0, 8]


def test_a_tracker_that_blinks_costs_nothing() -> None:
    assert run(KeyPictureSchedule(Fraction(25)), "fff--ff---ff") == [0]


def test_the_interval_counts_from_the_last_key_picture() -> None:
    assert run(KeyPictureSchedule(Fraction(25), 4), "f" * 10) == [0, 4, 8]


def test_automatic_interval_is_thirty_seconds() -> None:
    assert run(KeyPictureSchedule(Fraction(2)), "f" * 125) == [0, 60, 120]


def test_a_failed_key_picture_is_not_tried_again_at_once() -> None:
    schedule = KeyPictureSchedule(Fraction(10))
    assert schedule.due()
    schedule.key_failed()
    waited = 0
    while not schedule.due():
        schedule.driven(face=True)
        waited += 1
    assert waited == 5
