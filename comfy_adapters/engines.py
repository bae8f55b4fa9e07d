"""The engines and the workflows that this app brings."""

from django.utils.translation import gettext_noop

from renders import backends
from renders.services.workflows import Declaration, declare

_FIRST_IMAGE = {
    "role": "first_image",
    "kind": "previz",
    "required": True,
    "also": {"clean_image": "clean.png"},
}


def register() -> None:
    from comfy_adapters.comfyui import catalogue
    from comfy_adapters.comfyui.backend import ComfyBackend
    from comfy_adapters.comfyui.identity import models_at
    from comfy_adapters.comfyui.leftovers import stop_left
    from comfy_adapters.comfyui.provenance import machine_at
    from comfy_adapters.comfyui.servers import advice, lacks, schema_at
    from comfy_adapters.local.backend import LocalBackend
    from comfy_adapters.local.declared import POST

    backends.register(LocalBackend())
    backends.register(
        ComfyBackend(),
        machine=machine_at,
        schema=schema_at,
        check=lacks,
        models=models_at,
        left=stop_left,
        advice=advice,
    )
    declare(
        Declaration(
            key="local.panel",
            title=gettext_noop("Storyboard panel (local draft)"),
            backend="local",
            output_kind="previz",
            step="first_image",
        ),
        Declaration(
            key="local.reference",
            title=gettext_noop("Character sheet or empty plate (local draft)"),
            backend="local",
            output_kind="reference",
            step="",
        ),
        Declaration(
            key="local.move",
            title=gettext_noop("Camera move (local draft)"),
            backend="local",
            output_kind="render",
            step="render",
            inputs=[_FIRST_IMAGE],
        ),
        *catalogue.declarations(),
        *POST,
    )
