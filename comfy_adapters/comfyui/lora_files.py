"""LoRA files that a server lacks are put into its loras folder, where this worker reaches it (AIP_WORKER_MODELS)."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.media.files import fsync_dir
from aipipeline.media.storage import storage_errors
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.inputs import content_hash
from comfy_adapters.comfyui.loras import Lora
from renders.backends import JobCancelled

log = structlog.get_logger(__name__)
# What ComfyUI lists in its loras folder.
SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".bin", ".pth"})
_CHUNK = 1 << 22


def models_folder() -> Path | None:
    """The server's models folder as this worker sees it, None where it does not."""
    text = str(getattr(settings, "AIP_WORKER_MODELS", "") or "")
    return Path(text) if text else None


def deliver(lora: Lora, *, cancelled: Callable[[], bool]) -> Path | None:
    """Copy the studio's file into the server's loras folder; None when that cannot be done from here.

    Never over another file: ComfyError then names both. StorageError when the folder does not take it.
    """
    folder = models_folder()
    source = Path(lora.path) if lora.path else None
    if folder is None or source is None or not source.is_file():
        return None
    relative = _safe(lora.file)
    if relative is None:
        text = _("%(file)s is not the name of a LoRA file below the loras folder. Correct it at the LoRA.")
        raise ComfyError(text % {"file": lora.file}, kind="refused", retryable=False)
    target = folder / "loras" / relative
    with storage_errors(folder):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target, cancelled)
            log.info("lora_delivered", file=str(relative), size=target.stat().st_size)
        if target.stat().st_size != source.stat().st_size or content_hash(target) != content_hash(source):
            text = _(
                "The server's %(target)s is another file than the studio's %(source)s. "
                "Give one of them another name, and correct it at the LoRA."
            )
            facts = {"target": target, "source": source}
            raise ComfyError(text % facts, kind="refused", retryable=False)
    return target


def _safe(file: str) -> PurePosixPath | None:
    """The path below the loras folder, None for one that leads out of it or is no model file."""
    path = PurePosixPath(file.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in file or path.suffix.lower() not in SUFFIXES:
        return None
    return path


def _copy(source: Path, target: Path, cancelled: Callable[[], bool]) -> None:
    """Written aside, flushed, and given its name only where no file has it by then."""
    part = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with open(source, "rb") as given, open(part, "xb") as out:
            while chunk := given.read(_CHUNK):
                if cancelled():
                    raise JobCancelled
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        shutil.copymode(source, part)
        try:
            os.link(part, target)
        except FileExistsError:
            return  # another worker was faster; the caller compares
        except OSError:  # a share that knows no links
            if not target.exists():
                os.rename(part, target)
        fsync_dir(target.parent)
    finally:
        part.unlink(missing_ok=True)
