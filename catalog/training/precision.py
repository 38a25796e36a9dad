"""Where bfloat16 is the faster way to compute. Import inside functions: it imports torch."""

import torch

FAST_BFLOAT16 = (
    "amx_bf16"  # of CPUs: AVX-512's own bfloat16 is hardly faster than float32, and without either it is slower
)


def fast_bfloat16(device: torch.device) -> bool:
    """Is this device faster in bfloat16 than in float32? On a CPU with AVX2 alone it is eight times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get(FAST_BFLOAT16))
