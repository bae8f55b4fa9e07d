"""The double's `/object_info` and its model folders."""

import copy
import json
from pathlib import Path
from typing import Any

from tests.doubles.comfyui.faults import Faults

VERSIONS = ("0.3.64", "0.33.0")

MODELS: dict[str, list[str]] = {
    "checkpoints": [],
    "diffusion_models": [
        "flux1-dev.safetensors",
        "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
        "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors",
    ],
    "text_encoders": [
        "clip_l.safetensors",
        "t5xxl_fp8_e4m3fn_scaled.safetensors",
        "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
    ],
    "vae": ["ae.safetensors", "wan_2.1_vae.safetensors"],
    "loras": [],
}

_LISTS = {
    ("UNETLoader", "unet_name"): "diffusion_models",
    ("DualCLIPLoader", "clip_name1"): "text_encoders",
    ("DualCLIPLoader", "clip_name2"): "text_encoders",
    ("CLIPLoader", "clip_name"): "text_encoders",
    ("VAELoader", "vae_name"): "vae",
    ("LoraLoaderModelOnly", "lora_name"): "loras",
}


class Schema:
    """Node classes of one server version, with lists filled from the model folders and the input folder."""

    def __init__(self, version: str, inputs: Path, faults: Faults) -> None:
        text = (Path(__file__).parent / f"object_info-{version}.json").read_text(encoding="utf-8")
        self._raw: dict[str, Any] = json.loads(text)
        self.version, self._inputs, self._faults = version, inputs, faults

    @property
    def modern(self) -> bool:
        """Behaviour of 0.33.0 where it differs from 0.3.64."""
        return self.version == "0.33.0"

    def models(self, folder: str) -> list[str] | None:
        names = MODELS.get(folder)
        return None if names is None else [name for name in names if name not in self._faults.missing_models]

    def classes(self) -> dict[str, Any]:
        found = {
            name: info for name, info in copy.deepcopy(self._raw).items() if name not in self._faults.missing_nodes
        }
        for (name, entry), folder in _LISTS.items():
            if name in found:
                spec = found[name]["input"]["required"][entry]
                extra = ["pixel_space"] if folder == "vae" else []
                spec[0] = [*(self.models(folder) or []), *extra]
        if "LoadImage" in found:
            files = sorted(path.name for path in self._inputs.iterdir() if path.is_file())
            found["LoadImage"]["input"]["required"]["image"][0] = files
        return found
