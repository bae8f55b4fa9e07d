"""Pictures and masks brought into the form that a graph takes."""

from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, ImageStat

from comfy_adapters.comfyui.errors import ComfyError

_ONE_COLOUR = 24.0  # standard deviation (of 255) up to which what is visible counts as paint of one colour


_PLAIN_MODES = ("RGB", "RGBA", "L")
_PLAIN_FORMATS = ("PNG", "JPEG", "WEBP")
_ORIENTATION = 0x0112
_UPRIGHT = (None, 0, 1)
_LYING = (5, 6, 7, 8)


def plain(path: Path, out: Path) -> Path:
    """The picture in a form that every version of ComfyUI reads alike; the file itself where it is one already.

    Older ones read pictures with Pillow and newer ones with ffmpeg: they differ in turned photographs, in palettes
    and inks, and in 16 bits, which Pillow cuts to white. Of several pictures in one file a loader makes a batch.
    """
    with Image.open(path) as image:
        upright = image.getexif().get(_ORIENTATION) in _UPRIGHT
        alone = getattr(image, "n_frames", 1) == 1
        if upright and alone and image.mode in _PLAIN_MODES and image.format in _PLAIN_FORMATS:
            return path
        image.seek(0)
        _eight_bits(ImageOps.exif_transpose(image)).save(out, "PNG", compress_level=1)
    return out


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of the picture as people see it: a photograph may lie on its side in the file."""
    with Image.open(path) as image:
        lying = image.getexif().get(_ORIENTATION) in _LYING
        return (image.height, image.width) if lying else image.size


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        deep = image.convert("I")
        most = deep.getextrema()[1]
        # A picture of 32 bits holds 8 or 16 of them as a rule.
        small = image.mode == "I" and isinstance(most, int | float) and most <= 255
        return (deep if small else deep.point(lambda value: value * (1 / 257))).convert("L")
    if image.mode in _PLAIN_MODES:
        return image.copy()
    return image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")


def fitted(path: Path, out: Path, width: int, height: int) -> Path:
    """The picture covering that size exactly, its shape kept, as PNG; alpha stays."""
    with Image.open(path) as image:
        picture = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGB")
        ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS).save(out, compress_level=1)
    return out


def as_mask(path: Path, out: Path, *, like: Path | None = None, size: tuple[int, int] | None = None) -> Path:
    """What people paint as a mask in the form that both of ComfyUI's loaders read: white, and transparent, = repaint.

    White on black is taken as it is. With transparency there are two habits: paint of one colour on nothing marks
    what is repainted; a picture with holes is repainted in the holes. `like`: the picture that the mask lies on;
    `size`: what that picture is fitted to. ComfyError when nothing is marked.
    """
    with Image.open(path) as image:
        image.load()
        transparent = "A" in image.getbands() or "transparency" in image.info
        mask = _from_alpha(image.convert("RGBA")) if transparent else image.convert("L")
    if like is not None:
        under = size_of(like)
        if mask.size != under:
            mask = mask.resize(under, Image.Resampling.BILINEAR)
    if size is not None and mask.size != size:
        mask = ImageOps.fit(mask, size, Image.Resampling.LANCZOS)
    high = mask.getextrema()[1]
    if not isinstance(high, int | float) or high < 8:
        text = _("The mask %(name)s marks nothing: paint white what shall be made anew.")
        raise ComfyError(text % {"name": path.name}, kind="refused", retryable=False)
    Image.merge("RGBA", (mask, mask, mask, ImageOps.invert(mask))).save(out, compress_level=1)
    return out


def _from_alpha(image: Image.Image) -> Image.Image:
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert("L")
    seen = ImageStat.Stat(image.convert("L"), alpha.point(lambda value: 255 if value > 127 else 0))
    one_colour = bool(seen.count[0]) and seen.stddev[0] <= _ONE_COLOUR and seen.mean[0] > 48
    return alpha if one_colour else ImageOps.invert(alpha)
