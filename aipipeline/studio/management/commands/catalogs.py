"""`./aip manage catalogs`: bring the Korean catalogues up to the code's messages and list what is not translated."""

from typing import Any

from django.core.management.base import BaseCommand

from aipipeline.studio.catalogs import update_catalog


class Command(BaseCommand):
    help = "Bring locale/ up to the code's messages; lists what is not translated yet."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [(domain, entry) for domain in ("django", "djangojs") for entry in update_catalog("ko", domain)]
        for domain, entry in missing:
            self.stdout.write(f"{domain} {entry.place}: {entry.singular}")
        self.stderr.write(f"{len(missing)} messages are not translated.")
