"""The version history of shots, characters and environments, for the metadata files of the tree."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from assets.metadata import register_part
from renders.models import Version


def register() -> None:
    for kind in ("shot", "character", "environment"):
        register_part(kind, partial(_versions, kind=kind))


def _versions(rows: list[Any], kind: str) -> Mapping[Any, Mapping[str, Any]]:
    facts: dict[Any, dict[str, Any]] = {row.pk: {"versions": []} for row in rows}
    versions = Version.objects.live().filter(**{f"{kind}__in": [row.pk for row in rows]})
    for version in versions.order_by("kind", "number"):
        facts[getattr(version, f"{kind}_id")]["versions"].append(
            {
                "kind": version.kind,
                "number": version.number,
                "path": version.path,
                "status": version.status,
                "auto": version.auto,
                "files": version.manifest,
                "frames": version.frames,
                "fps": version.fps,
                "published_at": version.published_at,
            }
        )
    return facts
