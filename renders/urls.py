from django.urls import path

from renders.views import farm, files, shot, storyboard

app_name = "renders"
urlpatterns = [
    path("projects/<str:code>/storyboard/", storyboard.storyboard, name="storyboard"),
    path("projects/<str:code>/render/", storyboard.render_start, name="start"),
    path("projects/<str:code>/versions/<int:version_id>/review/", storyboard.review, name="review"),
    path("projects/<str:code>/shots/<int:shot_id>/upload/", shot.upload, name="upload"),
    path("projects/<str:code>/farm/", farm.project_farm, name="project_farm"),
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
