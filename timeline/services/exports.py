"""The cut as files for editors: EDL, FCP7 XML and OTIO."""

from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from timeline.interchange import edl, otio, xmeml
from timeline.selectors import cut_of

CONTENT_TYPES = {"edl": "text/plain; charset=utf-8", "xml": "application/xml", "otio": "application/json"}


def export_cut(*, project: Project, format: str, **options: Any) -> tuple[str, bytes]:
    """File name and content. The EDL of a cut with more than 999 events is given in its first part only
    when asked as one file; `edl.write_edl` gives all parts."""
    _edit, cut = cut_of(project)
    if not cut.clips:
        raise Invalid(_("The cut is empty. Add shots first."))
    if format == "edl":
        return f"{project.code}.edl", "".join(edl.write_edl(cut, **options)).encode()
    if format == "xml":
        return f"{project.code}.xml", xmeml.write_xmeml(cut, **options).encode()
    if format == "otio":
        return f"{project.code}.otio", otio.write_otio(cut, **options).encode()
    raise Invalid(_("Unknown format. There are edl, xml and otio."), fields={"format": [_("unknown")]})
