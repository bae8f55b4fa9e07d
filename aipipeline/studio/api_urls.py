"""The REST API, version 1."""

from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from aipipeline.history.api import views as history
from aipipeline.projects.api import views as access
from aipipeline.tables.api import grid as tables
from aipipeline.tables.api import history as table_history
from aipipeline.tables.api import sheets
from aipipeline.tables.api import views as table_views
from assets.api import presets
from assets.api import views as assets
from celery_workers.api import views as tasks
from comfy_adapters.api import views as workflows
from mirror.api import views as mirror
from renders.api import batches, compare, farm, renders, scan, seams, tree
from renders.api import presets as render_presets
from renders.api import views as versions
from shots.api import castings, confirm, naming, prompts, scenarios
from shots.api import presets as shot_presets
from shots.api import views as shots
from timeline.api import views as timeline

P = "v1/projects/<str:code>"
asset = r"^v1/projects/(?P<code>[^/]+)/(?P<kind>characters|environments|presets|loras)/"


def of_table(key: str) -> list[URLPattern]:
    """The addresses of one table's grid."""
    base, given = f"{P}/{key}/", {"table": key}
    return [
        path(f"{base}grid/", tables.Grid.as_view(), given),
        path(f"{base}changes/", tables.Changes.as_view(), given),
        path(f"{base}batch/", tables.Batch.as_view(), given),
        path(f"{base}reorder/", tables.Move.as_view(), given),
        path(f"{base}view/", table_views.PresentView.as_view(), given),
        path(f"{base}views/", table_views.Views.as_view(), given),
        path(f"{base}views/<int:view_id>/", table_views.ViewDetail.as_view(), given),
        path(f"{base}columns/", table_views.Columns.as_view(), given),
        path(f"{base}columns/<str:column>/", table_views.ColumnDetail.as_view(), given),
        path(f"{base}<int:row_id>/history/", table_history.RowHistory.as_view(), given),
        path(f"{base}<int:row_id>/restore/", table_history.RestoreRow.as_view(), given),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    *(pattern for key in ("shots", "characters", "environments", "presets") for pattern in of_table(key)),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]), name="schema"),
    path(
        "docs/",
        login_required(SpectacularSwaggerView.as_view(url_name="schema", permission_classes=[IsAuthenticated])),
        name="docs",
    ),
    path("v1/auth/token/", access.Token.as_view(), name="token"),
    path("v1/auth/token/refresh/", access.Refresh.as_view(), name="token_refresh"),
    path("v1/auth/ticket/", access.Ticket.as_view(), name="ticket"),
    path("v1/projects/", history.Projects.as_view()),
    path(f"{P}/", history.ProjectDetail.as_view()),
    path(f"{P}/members/", history.Members.as_view()),
    path(f"{P}/members/<str:username>/", history.OneMember.as_view()),
    path(f"{P}/undo/", history.Undo.as_view()),
    path(f"{P}/redo/", history.Redo.as_view()),
    path(f"{P}/scenarios/", scenarios.Scenarios.as_view()),
    path("v1/scenarios/<int:scenario_id>/analyse/", scenarios.Analyse.as_view()),
    path("v1/scenarios/<int:scenario_id>/proposal/", scenarios.Proposal.as_view()),
    path("v1/scenarios/<int:scenario_id>/apply/", scenarios.Apply.as_view()),
    re_path(rf"{asset}$", assets.Assets.as_view()),
    re_path(rf"{asset}(?P<asset_id>[0-9]{{1,18}})/$", assets.AssetDetail.as_view()),
    re_path(rf"{asset}(?P<asset_id>[0-9]{{1,18}})/clone/$", assets.AssetClone.as_view()),
    path(f"{P}/presets/check/", presets.Check.as_view()),
    path(f"{P}/presets/starters/", presets.Starters.as_view()),
    path(f"{P}/presets/vocabulary/", presets.Vocabulary.as_view()),
    path(f"{P}/presets/<int:preset_id>/apply/", shot_presets.Apply.as_view()),
    re_path(
        r"^v1/projects/(?P<code>[^/]+)/(?P<kind>characters|environments)/(?P<asset_id>[0-9]{1,18})/versions/$",
        versions.AssetVersions.as_view(),
    ),
    path(f"{P}/naming/", naming.Naming.as_view()),
    path(f"{P}/naming/preview/", naming.NamingPreview.as_view()),
    path(f"{P}/naming/read/", naming.NamingRead.as_view()),
    path(f"{P}/scenes/", shots.Scenes.as_view()),
    path(f"{P}/scenes/<int:scene_id>/", shots.SceneDetail.as_view()),
    path(f"{P}/shots/", shots.Shots.as_view()),
    path(f"{P}/shots/transition/", shots.Transitions.as_view()),
    path(f"{P}/confirm/", confirm.Confirm.as_view()),
    path(f"{P}/move_folders/", confirm.MoveFolders.as_view()),
    path(f"{P}/unlock/", confirm.Unlocks.as_view()),
    path("v1/shots/<int:shot_id>/", shots.ShotDetail.as_view()),
    path("v1/shots/<int:shot_id>/transition/", shots.Transition.as_view()),
    path("v1/shots/<int:shot_id>/unlock/", shots.Unlock.as_view()),
    path("v1/shots/<int:shot_id>/prompt/", prompts.ShotPrompt.as_view()),
    path(f"{P}/translations/", prompts.Translations.as_view()),
    path("v1/shots/<int:shot_id>/castings/", castings.Castings.as_view()),
    path("v1/shots/<int:shot_id>/castings/<int:casting_id>/", castings.CastingDetail.as_view()),
    path(f"{P}/versions/", versions.ProjectVersions.as_view()),
    path("v1/shots/<int:shot_id>/versions/", versions.ShotVersions.as_view()),
    path(f"{P}/sheets/<slug:kind>.<slug:suffix>", sheets.Sheet.as_view()),
    path(f"{P}/sheet-imports/", sheets.SheetImports.as_view()),
    path("v1/sheet-imports/<slug:token>/", sheets.SheetImportDetail.as_view()),
    path("v1/sheet-imports/<slug:token>/mapping/", sheets.SheetImportMapping.as_view()),
    path("v1/sheet-imports/<slug:token>/decisions/", sheets.SheetImportDecisions.as_view()),
    path("v1/sheet-imports/<slug:token>/apply/", sheets.SheetImportApply.as_view()),
    path("v1/versions/<int:version_id>/", versions.VersionDetail.as_view()),
    path("v1/versions/<int:version_id>/review/", versions.VersionReview.as_view()),
    path("v1/versions/<int:version_id>/reproduce/", compare.VersionReproduce.as_view()),
    path("v1/versions/<int:version_id>/post/", compare.VersionPost.as_view()),
    path("v1/versions/<int:version_id>/compare/<int:other_id>/", compare.VersionCompare.as_view()),
    path(f"{P}/renders/", renders.Renders.as_view()),
    path("v1/renders/<uuid:job_id>/", renders.RenderDetail.as_view()),
    path("v1/renders/<uuid:job_id>/cancel/", renders.RenderCancel.as_view()),
    path("v1/renders/<uuid:job_id>/retry/", renders.RenderRetry.as_view()),
    path(f"{P}/tree/", tree.Tree.as_view()),
    path(f"{P}/tree/scan/", scan.TreeScan.as_view()),
    path(f"{P}/tree/adopt/", scan.TreeAdopt.as_view()),
    path(f"{P}/tree/paths/", tree.TreePaths.as_view()),
    path(f"{P}/tree/search/", tree.TreeSearch.as_view()),
    path("v1/workers/", farm.Workers.as_view()),
    path("v1/workers/<int:worker_id>/", farm.WorkerDetail.as_view()),
    path("v1/workers/<int:worker_id>/wake/", farm.WorkerWake.as_view()),
    path("v1/workers/<int:worker_id>/fits/", farm.WorkerFits.as_view()),
    path("v1/workers/<int:worker_id>/blocks/", farm.WorkerBlocks.as_view()),
    path("v1/workers/<int:worker_id>/blocks/<str:workflow>/", farm.WorkerBlockDetail.as_view()),
    path("v1/farm/pauses/", farm.Pauses.as_view()),
    path("v1/workflows/", workflows.Workflows.as_view()),
    path("v1/workflows/<str:key>/", workflows.WorkflowDetail.as_view()),
    path("v1/workflows/<str:key>/graphs/", workflows.WorkflowGraphs.as_view()),
    path("v1/workflows/<str:key>/graphs/<int:number>/", workflows.WorkflowGraphDetail.as_view()),
    path("v1/render-presets/", render_presets.Presets.as_view()),
    path("v1/render-presets/<int:render_preset_id>/", render_presets.PresetDetail.as_view()),
    path("v1/render-presets/<int:render_preset_id>/clone/", render_presets.PresetClone.as_view()),
    path(f"{P}/seams/", seams.Seams.as_view()),
    path(f"{P}/batches/", batches.Batches.as_view()),
    path("v1/batches/<uuid:batch_id>/", batches.BatchDetail.as_view()),
    path("v1/batches/<uuid:batch_id>/cancel/", batches.BatchCancel.as_view()),
    path("v1/batches/<uuid:batch_id>/retry/", batches.BatchRetry.as_view()),
    path("v1/batches/<uuid:batch_id>/results/", batches.BatchResults.as_view()),
    path(f"{P}/edit/", timeline.EditDetail.as_view()),
    path(f"{P}/edit/proxy/", timeline.Proxy.as_view()),
    path(f"{P}/edit/export.<slug:suffix>", timeline.Export.as_view()),
    path(f"{P}/deliveries/", timeline.Deliveries.as_view()),
    path("v1/deliveries/<uuid:delivery_id>/", timeline.DeliveryDetail.as_view()),
    path(f"{P}/mirrors/", mirror.Mirrors.as_view()),
    path(f"{P}/mirrors/<int:target_id>/", mirror.MirrorDetail.as_view()),
    path(f"{P}/mirrors/<int:target_id>/run/", mirror.MirrorRun.as_view()),
    path("v1/tasks/<uuid:task_id>/", tasks.TaskDetail.as_view()),
    path("v1/tasks/<uuid:task_id>/cancel/", tasks.TaskCancel.as_view()),
    re_path(r"^.*/$", access.Nowhere.as_view(), name="nowhere"),
]
