"""Compact Feature Temporal Evolution: one 4×4 feature map, 16 numbers a picture."""
