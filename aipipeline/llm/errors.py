"""What can go wrong with a language model, in words that say what to do."""

from aipipeline.projects.errors import PipelineError


class LlmError(PipelineError):
    """The model could not be asked, or did not give a usable answer."""

    status = 502
    code = "language_model"
