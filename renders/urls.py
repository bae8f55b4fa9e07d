from django.urls import path

from renders.views import compare, farm, files, path_maps, scan, shot, storyboard, tree

app_name = "renders"
urlpatterns = [
    path("projects/<str:code>/storyboard/", storyboard.storyboard, name="storyboard"),
    path("projects/<str:code>/render/", storyboard.render_start, name="start"),
    path("projects/<str:code>/versions/<int:version_id>/review/", storyboard.review, name="review"),
    path("projects/<str:code>/versions/<int:version_id>/compare/<int:other_id>/", compare.compare, name="compare"),
    path("projects/<str:code>/versions/<int:version_id>/reproduce/", compare.reproduce, name="reproduce"),
    path("projects/<str:code>/versions/<int:version_id>/post/", compare.post, name="post"),
    path("projects/<str:code>/shots/<int:shot_id>/upload/", shot.upload, name="upload"),
    path("projects/<str:code>/farm/", farm.project_farm, name="project_farm"),
    path("projects/<str:code>/tree/", tree.tree, name="tree"),
    path("projects/<str:code>/tree/folder/", tree.folder, name="tree_folder"),
    path("projects/<str:code>/tree/details/", tree.details, name="tree_details"),
    path("projects/<str:code>/tree/totals/", tree.totals, name="tree_totals"),
    path("projects/<str:code>/tree/search/", tree.search, name="tree_search"),
    path("projects/<str:code>/tree/file/", tree.file, name="tree_file"),
    path("projects/<str:code>/tree/zip/", tree.archive, name="tree_zip"),
    path("projects/<str:code>/tree/scan/", scan.scan, name="tree_scan"),
    path("projects/<str:code>/tree/adopt/", scan.adopt, name="tree_adopt"),
    path("path-maps/", path_maps.path_maps, name="path_maps"),
    path("path-maps/<int:map_id>/", path_maps.path_map, name="path_map"),
    path("farm/", farm.farm, name="farm"),
    path("farm/indicator/", farm.indicator, name="indicator"),
    path("farm/jobs/<uuid:job_id>/", farm.job, name="job"),
    path("farm/jobs/<uuid:job_id>/cancel/", farm.cancel, name="cancel"),
    path("farm/jobs/<uuid:job_id>/retry/", farm.retry, name="retry"),
    path("farm/jobs/<uuid:job_id>/priority/", farm.priority, name="priority"),
    path("farm/jobs/<uuid:job_id>/preview/", files.preview, name="preview"),
    path("farm/tasks/<uuid:task_id>/cancel/", farm.cancel_task, name="cancel_task"),
    path("farm/workers/<int:worker_id>/drain/", farm.drain, name="drain"),
    path("versions/<int:version_id>/thumb/<int:width>/", files.thumbnail, name="thumb"),
    path("versions/<int:version_id>/file/", files.file, name="file"),
    path("versions/<int:version_id>/file/<path:name>", files.file, name="file_named"),
]
