"""The one live socket: a session (with an Origin check) or a one-use ticket opens it."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from aipipeline.events.consumers import LiveConsumer
from aipipeline.projects.tickets import TicketMiddleware

# A page sends its Origin and a session cookie; an API client sends no cookie but a ticket in the query.
# The Origin check holds for both: browsers cannot leave the header out, and clients without one bring a ticket.
websocket_application = AllowedHostsOriginValidator(
    AuthMiddlewareStack(TicketMiddleware(URLRouter([path("ws/", LiveConsumer.as_asgi())])))
)
