"""The motion in a stream for other software: avatars, animation tools, programs.

reading     the face of each output picture: as a decoder knows it, or as messages state it
motion      all of it gathered: values, head poses, expressions, lengths of the face
head        turns, angles and places, in the frame that other software has
arkit       the 52 face shapes of ARKit, by rules from lengths
live_link, gltf, bvh, numbers   a format each
exporter    the job
"""
