"""Every address of the studio."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import JavaScriptCatalog, set_language

import assets.urls
import shots.urls
from aipipeline.studio import health
from renders.views import asset, shot

handler403 = "aipipeline.ui.htmx.permission_denied"
handler404 = "aipipeline.ui.htmx.page_not_found"
handler500 = "aipipeline.ui.htmx.server_error"

# The pages of one shot and of one library row show versions and jobs, so their views live above; their addresses
# belong here.
shot_pages = [
    *shots.urls.urlpatterns,
    path("projects/<str:code>/shots/<int:shot_id>/", shot.detail, name="detail"),
]
asset_pages = [
    *assets.urls.urlpatterns,
    path("projects/<str:code>/assets/<slug:kind>/<int:asset_id>/", asset.detail, name="edit"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("i18n/set/", login_not_required(set_language), name="set_language"),
    path("i18n/js/", login_not_required(JavaScriptCatalog.as_view()), name="jsi18n"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/", include("aipipeline.studio.api_urls")),
    path("flower/", include("aipipeline.studio.flower")),
    path("", include((shot_pages, "shots"))),
    path("", include("aipipeline.tables.urls")),
    path("", include((asset_pages, "assets"))),
    path("", include("renders.urls")),
    path("", include("comfy_adapters.urls")),
    path("", include("timeline.urls")),
    path("", include("mirror.urls")),
    path("", include("aipipeline.studio.urls")),
]

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]
