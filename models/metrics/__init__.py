"""Measures of one pair of pictures, each defined once, for training and for the codec.

Pictures are uint8 RGB [height, width, 3]. Nothing here loads PyTorch but `learned`.
"""
