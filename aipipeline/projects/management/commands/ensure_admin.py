"""Create the first administrator, once, and print the password that nobody can ask for again."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from aipipeline.projects.models import User


class Command(BaseCommand):
    help = "Create the user `admin` when there is no user yet; the password is printed once."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            if User.objects.exists():
                return
            password = settings.AIP_ADMIN_PASSWORD or secrets.token_urlsafe(12)
            User.objects.create_superuser(username="admin", password=password, display_name="Admin")
        if not settings.AIP_ADMIN_PASSWORD:
            self.stdout.write(f"First administrator: user admin, password {password} (shown only now)")
