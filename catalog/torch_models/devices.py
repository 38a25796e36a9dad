"""Where torch computes, and in what precision: CUDA where there is one, bfloat16 where the machine is fast at it."""

import contextlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

FAST_BFLOAT16 = (
    "amx_bf16"  # of CPUs: AVX-512's own bfloat16 is hardly faster than float32, and without either it is slower
)


def best_device() -> "torch.device":
    """CUDA where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_torch() -> bool:
    """Is the extra [pretrained] installed? Nothing is imported to find out."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "transformers", "safetensors"))


def chosen_precision(asked: str) -> str:
    """ "float32" or "bfloat16": the one that is asked for, or for "auto" the faster one of this machine."""
    if asked != "auto":
        return asked
    return "bfloat16" if fast_bfloat16(best_device()) else "float32"


def fast_bfloat16(device: "torch.device") -> bool:
    """Is this device faster in bfloat16 than in float32? On a CPU with AVX2 alone it is eight times slower."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get(FAST_BFLOAT16))


def batch_size(device: "torch.device", bytes_a_photo: int, most: int) -> int:
    """How many photos at once take at most a quarter of what memory is free; at least one, at most `most`."""
    import torch

    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else _free_memory()
    return max(1, min(most, free // 4 // bytes_a_photo))


def _free_memory() -> int:
    """Bytes that this machine can still give; a plain guess where it doesn't say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 4 * 2**30
