"""Post workflows of the local engine, as they are declared."""

from django.utils.translation import gettext_noop

from renders.services.workflows import Declaration

_CLIP = {"role": "source_video", "kind": "render", "required": True}
_STILL = {"role": "source_image", "kind": "previz", "required": True, "also": {"clean_image": "clean.png"}}

POST = (
    Declaration(
        key="local.interpolate",
        title=gettext_noop("More frames or slow motion (local draft)"),
        backend="local",
        output_kind="comp",
        step="post",
        inputs=[_CLIP],
        family="none",
        slots=["fps", "multiplier", "slow"],
    ),
    Declaration(
        key="local.upscale",
        title=gettext_noop("Larger clip (local draft)"),
        backend="local",
        output_kind="comp",
        step="post",
        inputs=[_CLIP],
        family="none",
        slots=["width", "height", "scale"],
    ),
    Declaration(
        key="local.upscale_image",
        title=gettext_noop("Larger first image (local draft)"),
        backend="local",
        output_kind="previz",
        step="first_image",
        inputs=[_STILL],
        family="none",
        slots=["width", "height", "scale"],
    ),
)
