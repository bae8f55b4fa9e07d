from django.urls import path

from assets.views import library

# The page of one row ("edit") shows versions and shots, so its view lives above; the studio adds its address.
app_name = "assets"
urlpatterns = [
    path("projects/<str:code>/assets/", library.library, name="library"),
    path("projects/<str:code>/loras/", library.loras, name="loras"),
    path("projects/<str:code>/assets/<slug:kind>/add/", library.add, name="add"),
    path("projects/<str:code>/assets/<slug:kind>/<int:asset_id>/remove/", library.remove, name="remove"),
]
