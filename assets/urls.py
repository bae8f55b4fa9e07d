from django.urls import path

from assets.views import library

app_name = "assets"
urlpatterns = [
    path("projects/<str:code>/assets/", library.library, name="library"),
    path("projects/<str:code>/assets/<slug:kind>/add/", library.edit, name="add"),
    path("projects/<str:code>/assets/<slug:kind>/<int:asset_id>/", library.edit, name="edit"),
    path("projects/<str:code>/assets/<slug:kind>/<int:asset_id>/remove/", library.remove, name="remove"),
]
