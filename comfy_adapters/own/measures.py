"""Size, length and frame rate of what is made."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from comfy_adapters.own.finds import Find, Finds, Sure
from comfy_adapters.own.tracing import Spot, Tracer

_LENGTHS = ("length", "frames_number", "num_frames", "video_length")
_RATES = ("fps", "frame_rate")
_SCALES = (1.0, 0.5, 0.25)
# They cut or load pictures; their length is not the clip's.
_NOT_LENGTH = frozenset({"ImageFromBatch", "TrimVideoLatent", "RepeatImageBatch"})
_MAX_SIDE = 16384


def find_measures(tracer: Tracer, finds: Finds) -> None:
    """Add width, height, length and fps."""
    _sizes(tracer, finds)
    for slot, names in (("length", _LENGTHS), ("fps", _RATES)):
        spots = [(key, spot) for key, spot in _spots(tracer, names) if _counts(tracer, key, slot)]
        main = next((tracer.value(spot) for _key, spot in spots), None)
        for key, spot in spots:
            if tracer.value(spot) == main:
                why = _("%(node)s takes it as %(input)s.") % {"node": tracer.named(key), "input": spot.input}
                finds.add(Find(slot, spot.node, spot.input, Sure.TRACED, why))


def _counts(tracer: Tracer, key: str, slot: str) -> bool:
    kind = tracer.kind(key)
    elsewhere = kind.startswith(("Primitive", "Load", "VHS_Load")) or (slot == "length" and kind in _NOT_LENGTH)
    return not elsewhere


def _spots(tracer: Tracer, names: Iterable[str]) -> list[tuple[str, Spot]]:
    found = []
    for key in tracer.nodes:
        for name in names:
            spot = tracer.literal(key, name)
            value = tracer.value(spot) if spot is not None else None
            if spot is not None and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                found.append((key, spot))
    return found


def _sizes(tracer: Tracer, finds: Finds) -> None:
    """The largest size counts; what is exactly a half or a quarter of it is an earlier stage and follows it."""
    pairs = []
    for key in tracer.nodes:
        if not _sized(tracer, key):
            continue
        width, height = tracer.literal(key, "width"), tracer.literal(key, "height")
        if width is None or height is None:
            continue
        sides = tracer.value(width), tracer.value(height)
        if all(isinstance(side, int) and not isinstance(side, bool) and 0 < side <= _MAX_SIDE for side in sides):
            pairs.append((key, width, height, sides))
    if not pairs:
        return
    main = max((sides for *_rest, sides in pairs), key=lambda sides: sides[0] * sides[1])
    for key, width, height, sides in pairs:
        scale = next((s for s in _SCALES if (main[0] * s, main[1] * s) == sides), None)
        if scale is None:
            continue
        why = _("The size of %(node)s.") % {"node": tracer.named(key)}
        if scale != 1.0:
            why += " " + _("It works at %(percent)d %% of the final size.") % {"percent": scale * 100}
        for slot, spot in (("width", width), ("height", height)):
            finds.add(Find(slot, spot.node, spot.input, Sure.TRACED, why, scale=scale))


def _sized(tracer: Tracer, key: str) -> bool:
    inputs, kind = tracer.inputs(key), tracer.kind(key)
    if "width" not in inputs or "height" not in inputs or kind == "EmptyImage" or kind.startswith("Primitive"):
        return False
    makes = any(name in inputs for name in ("batch_size", *_LENGTHS))
    return makes or kind in ("ImageScale", "ImageResize", "ImageResizeKJ", "ImageResizeKJv2", "ResizeImageMaskNode")
