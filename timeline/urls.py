from django.urls import path

from timeline.views import edit

app_name = "timeline"
urlpatterns = [
    path("projects/<str:code>/timeline/", edit.edit, name="edit"),
    path("projects/<str:code>/timeline/change/", edit.change, name="change"),
    path("projects/<str:code>/timeline/make/<slug:kind>/", edit.make, name="make"),
    path("projects/<str:code>/timeline/export.<slug:format>", edit.export, name="export"),
    path("projects/<str:code>/movies/<int:movie_id>/", edit.movie, name="movie"),
]
