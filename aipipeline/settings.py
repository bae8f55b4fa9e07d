"""Django settings, read from the environment (and `.env`); every variable is listed in `.env.example`."""

import os
import secrets
import sys
from pathlib import Path

import django_stubs_ext
import environ
from django.utils.translation import gettext_lazy as _

from aipipeline.log_config import logging_config
from aipipeline.unfold_config import UNFOLD as UNFOLD

# Lets generic Django classes be written with their types (ModelForm[Project]) at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def _secret(name: str, folder: Path) -> str:
    """A secret kept in the data folder, made on first use; two processes that start together agree."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f".{name}.{os.getpid()}"
    if not path.exists():
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_urlsafe(48))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass  # the other process made it first, and its value counts
        finally:
            temporary.unlink()
    return path.read_text().strip()


AIP_DATA = Path(env("AIP_DATA", default=str(BASE_DIR / "data"))).resolve()
STORAGE_ROOT = Path(env("STORAGE_ROOT", default=str(AIP_DATA / "projects"))).resolve()
AIP_PORT = env.int("AIP_PORT", default=8000)
AIP_ADMIN_PASSWORD = env("AIP_ADMIN_PASSWORD", default="")
AIP_SAMPLE = env.bool("AIP_SAMPLE", default=True)
AIP_FLOWER_PORT = env.int("AIP_FLOWER_PORT", default=5555)
AIP_WORKER_ENDPOINT = env("AIP_WORKER_ENDPOINT", default="")
AIP_WORKER_VRAM = env.int("AIP_WORKER_VRAM", default=0)  # GB; 0: what the server says
AIP_WORKER_TAGS = env.list("AIP_WORKER_TAGS", default=[])
AIP_WORKER_NAME = env("AIP_WORKER_NAME", default="")
AIP_WORKER_MODELS = env("AIP_WORKER_MODELS", default="")  # the ComfyUI server's models folder, as this worker sees it
AIP_WORKER_CA = env("AIP_WORKER_CA", default="")  # a PEM file: who signed the certificates of ComfyUI servers
COMFYUI_URLS = env.list("COMFYUI_URLS", default=[])
# A language model that speaks the OpenAI-compatible chat protocol; without an address nothing is translated.
LLM_URL = env("LLM_URL", default="").strip()
LLM_MODEL = env("LLM_MODEL", default="").strip()
LLM_API_KEY = env("LLM_API_KEY", default="").strip()
LLM_TIMEOUT_SECONDS = env.float("LLM_TIMEOUT_SECONDS", default=60.0)
# Where project administrators may let mirrors go; superusers may name any place (docs/how-to/mirror.md).
AIP_MIRROR_ROOTS = [part for part in env("AIP_MIRROR_ROOTS", default="").split(":") if part.strip()]
AIP_MIRROR_ENDPOINTS = env.list("AIP_MIRROR_ENDPOINTS", default=[])
METRICS_TOKEN = env("AIP_METRICS_TOKEN", default="")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or _secret("secret_key", AIP_DATA)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/.*$"

INSTALLED_APPS = [
    # Only runserver needs it as an app; loading it costs every other process a fifth of its start.
    *(["daphne"] if "runserver" in sys.argv else []),
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "unfold.contrib.guardian",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "corsheaders",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "guardian",
    "django_htmx",
    "django_structlog",
    "aipipeline.events",
    "aipipeline.projects",
    "aipipeline.history",
    "aipipeline.media",
    "aipipeline.notes",
    "aipipeline.llm",
    "aipipeline.ui",
    "aipipeline.tables",
    "celery_workers",
    "assets",
    "shots",
    "renders",
    "timeline",
    "mirror",
    "comfy_adapters",
    "blender_bridge",
    "aipipeline.studio",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "aipipeline.ui.middleware.ContentSecurityPolicy",
    "aipipeline.ui.middleware.PipelineErrors",
]

ROOT_URLCONF = "aipipeline.urls"
ASGI_APPLICATION = "aipipeline.asgi.application"
WSGI_APPLICATION = "aipipeline.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aipipeline.ui.context_processors.studio",
            ],
        },
    },
]

# --- database -------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{AIP_DATA / 'aipipeline.sqlite3'}")}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Immediate transactions and WAL: with several processes writing, the defaults fail with "database is
    # locked"; these four do not (docs/decisions/002-sqlite-options.md).
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;PRAGMA cache_size=-20000;"
            ),
        }
    )
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Tests start workers and the web as processes: their database is a file that all of them reach.
    DATABASES["default"]["TEST"] = {"NAME": str(AIP_DATA / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: one server for the queue, the live events and the cache ----------------------------------
REDIS_SOCKET = Path(env("AIP_REDIS_SOCKET", default=str(AIP_DATA / "run" / "redis.sock")))
REDIS_URL = env("REDIS_URL", default="")
_redis = REDIS_URL or f"unix://{REDIS_SOCKET}"
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{REDIS_SOCKET}?virtual_host=0"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis,
        "KEY_PREFIX": "aip",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # A listener blocks for five seconds at a time. The client gives a silent socket up after as many by
        # default, and the one that lost the race closed its browser's live connection.
        "CONFIG": {"hosts": [{"address": _redis, "socket_timeout": 30}], "capacity": 1000, "prefix": "aip-live"},
    }
}

# --- the render queue (seconds) -----------------------------------------------------------------------
RENDER_LEASE_SECONDS = env.float("RENDER_LEASE_SECONDS", default=30.0)
RENDER_BEAT_SECONDS = env.float("RENDER_BEAT_SECONDS", default=1.0)
RENDER_RETRY_DELAY_SECONDS = env.float("RENDER_RETRY_DELAY_SECONDS", default=5.0)
RENDER_MAX_ATTEMPTS = env.int("RENDER_MAX_ATTEMPTS", default=3)
RENDER_WAIT_SECONDS = env.float("RENDER_WAIT_SECONDS", default=3600.0)
LEDGER_LEASE_SECONDS = env.float("LEDGER_LEASE_SECONDS", default=30.0)
BEAT_TICK_SECONDS = env.float("BEAT_TICK_SECONDS", default=2.0)

# --- people -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("AIP_HTTPS", default=False)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

# --- language and time ----------------------------------------------------------------------------------
LANGUAGE_CODE = env("LANGUAGE_CODE", default="ko")
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env("TIME_ZONE", default="Asia/Seoul")
USE_TZ = True

# --- static files and uploads -----------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = AIP_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = STORAGE_ROOT
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "aipipeline.projects.api.pagination.CursorPages",
    "PAGE_SIZE": 100,
    "EXCEPTION_HANDLER": "aipipeline.projects.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"login": "10/min"},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AIPipeline",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- mail, logs, admin ----------------------------------------------------------------------------------------
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
LOGGING = logging_config(json_lines=env.bool("AIP_LOG_JSON", default=not DEBUG), level=env("LOG_LEVEL", default="INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
IMPORT_EXPORT_USE_TRANSACTIONS = True
