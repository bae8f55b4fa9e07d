from django.urls import path

from comfy_adapters.views import bring, servers, workflows

app_name = "workflows"
urlpatterns = [
    path("workflows/", workflows.listing, name="list"),
    path("workflows/new/", bring.new, name="new"),
    path("workflows/read/", bring.read, name="read"),
    path("workflows/check/", bring.check, name="check"),
    path("workflows/save/", bring.save, name="save"),
    path("workflows/servers/<int:worker_id>/", servers.history, name="history"),
    path("workflows/servers/<int:worker_id>/<str:prompt_id>/thumb/", servers.thumb, name="history_thumb"),
    path("workflows/<str:key>/", workflows.detail, name="detail"),
    path("workflows/<str:key>/switch/", workflows.switch, name="switch"),
    path("workflows/<str:key>/graphs/<int:number>/<slug:part>.json", workflows.export, name="export"),
]
