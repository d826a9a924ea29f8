"""Tests of tools.face_training."""
