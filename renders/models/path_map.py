"""Where the workstations of the studio see the folders of the server."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WINDOWS = re.compile(r'[A-Za-z]:(\\[^<>:"/|?*]*)?|\\\\[^\\<>:"/|?*]+\\[^<>:"/|?*]+')


def _check(text: str) -> None:
    if _CONTROL.search(text):
        raise ValidationError(_("Control characters are not allowed in a path."))
    if any(part in (".", "..") for part in re.split(r"[\\/]", text)):
        raise ValidationError(_("A path with . or .. in it is not taken."))


def check_posix(text: str) -> None:
    """ValidationError for anything but a whole path of macOS, Linux or the server."""
    _check(text)
    if not text.startswith("/"):
        raise ValidationError(_("Write the whole path, beginning with /, like /Volumes/productions."))


def check_windows(text: str) -> None:
    """ValidationError for anything but a drive or a share of Windows."""
    _check(text)
    if not _WINDOWS.fullmatch(text):
        raise ValidationError(_(r"Write a drive or a share, like Z:\productions or \\nas\productions."))


class PathMap(models.Model):
    """One folder of the server as the workstations see it; of several that hold a path the longest wins.

    `server` is a whole path, "" for STORAGE_ROOT wherever that is. A platform without a path is left empty.
    """

    server = models.CharField(
        _("folder on the server"), max_length=500, blank=True, unique=True, validators=[check_posix],
        help_text=_("Empty: the storage folder of the studio."),
    )  # fmt: skip
    windows = models.CharField(_("Windows"), max_length=500, blank=True, validators=[check_windows])
    macos = models.CharField(_("macOS"), max_length=500, blank=True, validators=[check_posix])
    linux = models.CharField(_("Linux"), max_length=500, blank=True, validators=[check_posix])

    class Meta:
        verbose_name = _("path map")
        verbose_name_plural = _("path maps")
        ordering = ["server"]

    def __str__(self) -> str:
        return self.server or str(_("storage folder"))

    def clean(self) -> None:
        if not (self.windows or self.macos or self.linux):
            raise ValidationError({"windows": _("Say at least for one platform where the folder is.")})
