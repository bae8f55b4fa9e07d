"""What can go wrong with media files."""

from aipipeline.projects.errors import PipelineError


class MediaError(PipelineError):
    """A file is not what it should be; the message names it."""

    status = 422
    code = "media"
