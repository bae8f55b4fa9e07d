"""WSGI, for servers that speak no ASGI; live events need `aipipeline.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
application = get_wsgi_application()
