"""Training of the embedded models; the only package, with `onnx_export`, that may import torch (inside functions)."""
