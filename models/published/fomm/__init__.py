"""First Order Motion Model: keypoints with Jacobians, 60 numbers a picture."""
