"""The double's `/object_info` and its model folders."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.doubles.comfyui.faults import Faults

VERSIONS = ("0.3.64", "0.33.0")
HERE = Path(__file__).resolve().parent
GRAPHS = HERE.parents[2] / "comfy_adapters" / "graphs"

# Which input of which loader lists which folder under `models/`.
_LISTS = {
    ("CLIPLoader", "clip_name"): "text_encoders",
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("CheckpointLoaderSimple", "ckpt_name"): "checkpoints",
    ("ControlNetLoader", "control_net_name"): "controlnet",
    ("DualCLIPLoader", "clip_name1"): "text_encoders",
    ("DualCLIPLoader", "clip_name2"): "text_encoders",
    ("FrameInterpolationModelLoader", "model_name"): "frame_interpolation",
    ("LTXAVTextEncoderLoader", "ckpt_name"): "checkpoints",
    ("LTXAVTextEncoderLoader", "text_encoder"): "text_encoders",
    ("LTXVAudioVAELoader", "ckpt_name"): "checkpoints",
    ("LatentUpscaleModelLoader", "model_name"): "latent_upscale_models",
    ("LoadDA3Model", "model_name"): "geometry_estimation",
    ("LoraLoader", "lora_name"): "loras",
    ("LoraLoaderModelOnly", "lora_name"): "loras",
    ("UNETLoader", "unet_name"): "diffusion_models",
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("VAELoader", "vae_name"): "vae",
}
_UPLOADS = {
    ("LoadImage", "image"): (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"),
    ("LoadImageMask", "image"): (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"),
    ("LoadVideo", "file"): (".mp4", ".webm", ".mkv", ".mov"),
    ("VHS_LoadVideo", "video"): (".mp4", ".webm", ".mkv", ".gif", ".mov"),
}

# Where the files of a folder are looked for, in this order; elsewhere only in the folder itself.
_PLACES = {
    "controlnet": ("controlnet", "t2i_adapter"),
    "diffusion_models": ("unet", "diffusion_models"),
    "text_encoders": ("text_encoders", "clip"),
}
_WEIGHTS = {".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"}


@cache
def brought_models() -> dict[str, list[str]]:
    """The model files that the project's graphs load, by folder: what a well kept server has."""
    found: dict[str, set[str]] = {folder: set() for folder in _LISTS.values()}
    for path in sorted(GRAPHS.glob("*.slots.json")):
        for model in json.loads(path.read_text(encoding="utf-8"))["models"]:
            found.setdefault(model["folder"], set()).add(model["file"])
    return {folder: sorted(names) for folder, names in found.items()}


class Schema:
    """Node classes of one server version, with lists filled from the model folders and the input folder. Files that
    lie in `models/<folder>/` of the double's data folder are served as well, as soon as they are there."""

    def __init__(self, version: str, folder: Path, faults: Faults) -> None:
        self._raw = _read(f"object_info-{version}.json")
        self.version, self._inputs, self._models, self._faults = version, folder / "input", folder / "models", faults

    @property
    def modern(self) -> bool:
        """Behaviour of 0.33.0 where it differs from 0.3.64."""
        return self.version == "0.33.0"

    def is_output(self, name: str) -> bool:
        return bool(self._raw.get(name, {}).get("output_node"))

    def folders(self) -> list[str]:
        return sorted(brought_models())

    def models(self, folder: str) -> list[str] | None:
        names = brought_models().get(folder)
        if names is None:
            return None
        more = [name.partition("/")[2] for name in self._faults.models if name.partition("/")[0] == folder]
        lying = sorted(
            path.relative_to(place).as_posix()
            for place in map(Path, self.places(folder))
            for path in place.rglob("*")
            if path.is_file()
        )
        every = [name for name in dict.fromkeys([*names, *more, *lying]) if name not in self._faults.missing_models]
        return [name.replace("/", "\\") for name in every] if self._faults.backslashes else every

    def places(self, folder: str) -> list[str]:
        """The directories that are searched for this folder's files, in their order."""
        return [str(self._models / name) for name in _PLACES.get(folder, (folder,))]

    def files(self, folder: str) -> list[dict[str, Any]]:
        """What lies in the folder's places, as `/experiment/models/{folder}` lists it."""
        found = []
        for index, place in enumerate(map(Path, self.places(folder))):
            for path in sorted(place.rglob("*")):
                name, facts = str(path.relative_to(place)), path.stat()
                hidden = any(part.startswith(".") for part in Path(name).parts)
                if not path.is_file() or hidden or path.suffix.lower() not in _WEIGHTS:
                    continue
                found.append({
                    "name": name.replace("/", "\\") if self._faults.backslashes else name,
                    "pathIndex": index,
                    "modified": facts.st_mtime,
                    "created": facts.st_ctime,
                    "size": facts.st_size,
                })  # fmt: skip
        return found

    def classes(self) -> dict[str, Any]:
        raw = dict(self._raw)
        for pack in self._faults.packs:
            raw |= _read(f"pack-{pack}.json")
        found = {name: copy.deepcopy(info) for name, info in raw.items() if name not in self._faults.missing_nodes}
        for (name, entry), folder in _LISTS.items():
            if name in found:
                extra = ["pixel_space"] if folder == "vae" else []
                _fill(found[name]["input"]["required"][entry], [*(self.models(folder) or []), *extra])
        files = sorted(path.name for path in self._inputs.iterdir() if path.is_file())
        for (name, entry), endings in _UPLOADS.items():
            if name in found:
                _fill(found[name]["input"]["required"][entry], [file for file in files if file.endswith(endings)])
        return found


def _fill(spec: list[Any], names: list[str]) -> None:
    """Both encodings of a list."""
    if spec[0] == "COMBO":
        spec[1]["options"] = names
    else:
        spec[0] = names


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return content
