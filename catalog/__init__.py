"""The pure domain: arrays and records in, arrays and records out; no Dagster, no network, no clock, no environment."""

import os

# More than a docstring, against the rule, since this must come before any of ours can import ONNX Runtime: its wheels
# (1.31 on Linux) make a device id below ~/.cache and report to Microsoft as soon as they are imported (its Privacy.md).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
