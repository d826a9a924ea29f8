"""Whole pictures: a model draws the face in a square of them, the rest comes from coded pictures.

`WholePictures` is a model of whole pictures made of a model of faces. Encoder and decoder use it as
they use any other.
"""
