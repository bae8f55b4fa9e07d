"""Versions, reviews, workers and workflows over REST."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.media.uploads import kept_upload
from aipipeline.projects.api.views import Endpoint, UploadEndpoint, integer, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.permissions import require
from assets.models import Character, Environment
from renders.models import Version, VersionKind
from renders.selectors import stale_reasons, version_for
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.uploading import publish_upload
from shots.selectors import shot_for


def version_json(version: Version, stale: str | None = None) -> dict[str, Any]:
    names = ("kind", "number", "label", "status", "auto", "comment", "width", "height", "frames", "fps", "published_at")
    return {
        "id": version.pk,
        **{name: getattr(version, name) for name in names},
        "shot": version.shot_id,
        "character": version.character_id,
        "environment": version.environment_id,
        "path": version.path,
        "files": version.manifest,
        "provenance": version.provenance,
        "stale": stale,
        "url": reverse("renders:file", args=[version.pk]),
        "thumbnail": reverse("renders:thumb", args=[version.pk, 320]),
    }


def versions_json(versions: Iterable[Version]) -> list[dict[str, Any]]:
    """Each with the reason why it is out of date, null for those that are not."""
    rows = list(versions)
    stale = stale_reasons(rows)
    return [version_json(row, stale.get(row.pk)) for row in rows]


class ShotVersions(UploadEndpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        rows = Version.objects.live().filter(shot=shot).select_related("project")
        return self.page(rows, versions_json, ordering=("-id",))

    def post(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        require(request.user, "versions.upload", shot.project)
        body = self.body()
        only(body, "kind", "file", "comment")
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_upload(
                project=shot.project,
                owner=shot,
                kind=text(body, "kind"),
                name=name,
                path=path,
                actor=request.user,
                comment=text(body, "comment", limit=500),
            )
        return Response(version_json(version), status=201)


class ProjectVersions(UploadEndpoint):
    """A file that says by its name whose it is and of which kind."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "versions.upload")
        body = self.body()
        only(body, "kind", "file", "comment")
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_upload(
                project=project,
                kind=text(body, "kind"),
                name=name,
                path=path,
                actor=request.user,
                comment=text(body, "comment", limit=500),
            )
        return Response(version_json(version), status=201)


class AssetVersions(UploadEndpoint):
    """The references of a character or an environment: listed, and added from a file."""

    models: dict[str, Any] = {"characters": Character, "environments": Environment}

    def owner(self, code: str, kind: str, asset_id: int, operation: str) -> Any:
        project = self.project(code, operation)
        model = self.models[kind]
        row = model.objects.live().filter(project=project, pk=asset_id).select_related("project").first()
        if row is None:
            raise NotFound(_("There is no such row in this project."))
        return row

    def get(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        owner = self.owner(code, kind, asset_id, "project.view")
        rows = owner.versions.live().select_related("project")
        return self.page(rows, versions_json, ordering=("-id",))

    def post(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        owner = self.owner(code, kind, asset_id, "versions.upload")
        body = self.body()
        only(body, "file", "comment")
        comment = text(body, "comment", limit=500)
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_files(
                owner=owner, kind=VersionKind.REFERENCE, files={name: path}, actor=request.user, comment=comment
            )
        return Response(version_json(version), status=201)


class VersionDetail(Endpoint):
    def get(self, request: Request, version_id: int) -> Response:
        return Response(versions_json([version_for(request.user, version_id)])[0])


class VersionReview(Endpoint):
    def post(self, request: Request, version_id: int) -> Response:
        version = version_for(request.user, version_id)
        body = self.body()
        only(body, "verdict", "text", "frame", "region")
        verdict = text(body, "verdict")
        operation = "notes.write" if verdict == "comment" else "versions.review"
        require(request.user, operation, version.project)
        frame = integer(body.get("frame"), "frame")
        if frame is not None and not 0 <= frame < 2**31:
            raise Invalid(_("frame: a frame of the version is needed."), fields={"frame": [_("out of range")]})
        review = review_version(
            version=version,
            actor=request.user,
            verdict=verdict,
            text=text(body, "text"),
            frame=frame,
            region=_region(body.get("region")),
            tab=self.tab,
        )
        version.refresh_from_db()
        return Response({"review": review.pk, "version": version_json(version)}, status=201)


def _region(value: Any) -> list[float] | None:
    """A drawn region as [x, y, width, height], fractions of the picture."""
    if value is None:
        return None
    good = isinstance(value, list) and len(value) == 4
    good = good and all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n <= 1 for n in value)
    if not good:
        raise Invalid(
            _("region: [x, y, width, height] as fractions of 1 are needed."), fields={"region": [_("not a region")]}
        )
    return [float(number) for number in value]
