"""Face vid2vid: 3-D keypoints from head pose and expression, 57 numbers a picture."""
