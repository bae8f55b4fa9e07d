from django.urls import path

from aipipeline.tables.views import sheets

app_name = "tables"
ONE = "projects/<str:code>/imports/<slug:token>"
urlpatterns = [
    path("projects/<str:code>/sheets/<slug:kind>.<slug:format>", sheets.export, name="sheet"),
    path("projects/<str:code>/imports/", sheets.upload, name="upload"),
    path(f"{ONE}/", sheets.look, name="import"),
    path(f"{ONE}/columns/", sheets.columns, name="import_columns"),
    path(f"{ONE}/decide/", sheets.decide, name="import_decide"),
    path(f"{ONE}/apply/", sheets.apply, name="import_apply"),
    path(f"{ONE}/discard/", sheets.discard, name="import_discard"),
]
