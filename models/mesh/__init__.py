"""The `mesh` model: landmarks as pose and expression, drawn by bending the key picture."""
