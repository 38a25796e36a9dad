"""Search over a bundle, as the phone does it: numpy and ONNX Runtime, never Dagster, torch or pandas."""
