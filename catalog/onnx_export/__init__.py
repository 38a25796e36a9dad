"""ONNX graphs: pixel input, quantization and their gate; torch is imported inside functions only."""
