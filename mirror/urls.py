from django.urls import path

from mirror.views import targets

app_name = "mirror"
base = "projects/<str:code>/mirror/"
urlpatterns = [
    path(base, targets.targets, name="targets"),
    path(f"{base}new/", targets.new, name="new"),
    path(f"{base}create/", targets.create, name="create"),
    path(f"{base}test/", targets.test, name="test"),
    path(f"{base}test/<uuid:task_id>/", targets.test_result, name="test_result"),
    path(f"{base}<int:target_id>/edit/", targets.edit, name="edit"),
    path(f"{base}<int:target_id>/update/", targets.update, name="update"),
    path(f"{base}<int:target_id>/remove/", targets.remove, name="remove"),
    path(f"{base}<int:target_id>/run/", targets.run, name="run"),
    path(f"{base}<int:target_id>/cancel/", targets.cancel, name="cancel"),
]
