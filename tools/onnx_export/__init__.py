"""Networks as ONNX graphs: writing them, and checking them against torch."""
