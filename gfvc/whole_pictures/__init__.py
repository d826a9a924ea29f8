"""Whole pictures: a model draws the face in a square of them, the rest comes from coded pictures.

`WholePictures` is a model of whole pictures made of a model of faces. Encoder and decoder use it as
they use any other.
"""

from gfvc.whole_pictures.analysers import SquareAnalysers
from gfvc.whole_pictures.compositing import cut_face, fine_face, lay_over
from gfvc.whole_pictures.model import WholePictures, of_whole_pictures

__all__ = [
    "SquareAnalysers",
    "WholePictures",
    "cut_face",
    "fine_face",
    "lay_over",
    "of_whole_pictures",
]
