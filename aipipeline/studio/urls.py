from django.urls import path

from aipipeline.studio.views import activity, projects

app_name = "studio"
urlpatterns = [
    path("", projects.projects, name="projects"),
    path("projects/new/", projects.project_new, name="project_new"),
    path("projects/<str:code>/", projects.overview, name="overview"),
    path("projects/<str:code>/activity/", activity.activity, name="activity"),
    path("projects/<str:code>/undo/", projects.undo, name="undo"),
    path("projects/<str:code>/redo/", projects.redo, name="redo"),
]
