"""A network over the windows of a row, trained by JAX in an environment of its own and served as ONNX."""
