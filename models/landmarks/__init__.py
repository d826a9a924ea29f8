"""What is known of a face from its landmarks: the ground of the models `mesh` and `face`.

points      names for groups of the 478 points
tracking    finding them in pictures
plausibility    whether they can be those of a face
appearance  what a face looks like, whoever turns it how: whether two faces are one person's
face_space  average face, head pose, expressions
layout      the 14 values of a face in a stream
values      between landmarks, those values and face parameters
triangles   the surface between landmarks
rims        how far eyes and mouth are open
flow, warp  bending a key picture so that its landmarks lie elsewhere
lids        eyes that close further than in any reference
pairs       where a face between two key pictures lies, and how both are bent there
fusing      one picture of the two
alignment   correcting what was tracked by what the bent picture shows
analysis    the analyser of both models
"""
