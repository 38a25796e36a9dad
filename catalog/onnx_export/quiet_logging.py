"""Silence the advice that ONNX Runtime's own tools log through the root logger."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_logging() -> Iterator[None]:
    """Nothing below an error is logged meanwhile; what was silenced before stays so."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
