"""What an S3 server, or the way to it, says when it refuses: in words that say what to do."""

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from django.utils.translation import gettext as _

from aipipeline.media.storage import StorageError
from aipipeline.projects.errors import PipelineError
from mirror.copying.store import TargetAway, TargetRefused
from mirror.models import MirrorTarget

_KEY = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure",
     "InvalidClientTokenId", "UnauthorizedAccess", "401"}
)  # fmt: skip
_RIGHTS = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403", "MethodNotAllowed"})
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "StorageFull", "507", "NoSpaceLeft"})
_REGION = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"})
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "500", "502", "503", "504"})


def code_of(error: Exception) -> str:
    """The S3 code of an answer, or its HTTP status where the answer had no body; "" for anything else."""
    if not isinstance(error, ClientError):
        return ""
    response: dict[str, Any] = error.response  # type: ignore[assignment]
    code = str(response.get("Error", {}).get("Code", ""))
    return code or str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


def server_of(target: MirrorTarget) -> str:
    return target.endpoint_url or "Amazon S3"


def readable(error: Exception, target: MirrorTarget) -> PipelineError:
    """The error in the form that people and callers get."""
    facts = {
        "bucket": target.bucket, "server": server_of(target), "key": target.key_variable,
        "secret": target.secret_variable, "region": target.region or "us-east-1",
    }  # fmt: skip
    if isinstance(error, ClientError):
        return _of_answer(error, facts)
    if isinstance(error, SSLError):
        text = _("The connection to %(server)s is not safe (%(reason)s). Check its certificate and the address.")
        return TargetAway(text % {**facts, "reason": _short(error)})
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError)):
        text = _("%(server)s does not answer. Check the address, the network and whether the server runs.")
        return TargetAway(text % facts)
    if isinstance(error, (ParamValidationError, ValueError)):
        text = _("%(server)s cannot be asked like this (%(reason)s). Check bucket, prefix and address.")
        return TargetRefused(text % {**facts, "reason": _short(error)})
    if isinstance(error, BotoCoreError):
        text = _("The connection to %(server)s broke (%(reason)s). The next run goes on from here.")
        return TargetAway(text % {**facts, "reason": _short(error)})
    raise error


def _of_answer(error: ClientError, facts: dict[str, str]) -> PipelineError:
    code = code_of(error)
    said = {**facts, "reason": f"{code}: {_short(error.response.get('Error', {}).get('Message', ''))}".strip(": ")}
    if code == "NoSuchBucket":
        text = _("There is no bucket %(bucket)s at %(server)s. Make it there, or correct its name.")
        return TargetRefused(text % said)
    if code in _KEY:
        text = _(
            "%(server)s does not know the key (%(reason)s). Check the variables %(key)s and %(secret)s "
            "where the files worker runs."
        )
        return TargetRefused(text % said)
    if code in _RIGHTS:
        text = _(
            "The key may not do this in %(bucket)s at %(server)s (%(reason)s). "
            "It needs the rights to list the bucket, and to get and put objects."
        )
        return TargetRefused(text % said)
    if code in _FULL:
        text = _("There is no space left in %(bucket)s at %(server)s (%(reason)s). Free some, or raise its quota.")
        return StorageError(text % said)
    if code in _REGION:
        text = _("%(bucket)s does not belong to the region %(region)s (%(reason)s). Correct the region.")
        return TargetRefused(text % said)
    if code == "RequestTimeTooSkewed":
        return TargetRefused(_("The clocks of this server and of %(server)s differ. Set them by NTP.") % said)
    if code in _BUSY:
        text = _("%(server)s cannot answer now (%(reason)s). The next run goes on from here.")
        return TargetAway(text % said)
    return TargetRefused(_("%(server)s refuses (%(reason)s).") % said)


def _short(error: Any) -> str:
    return " ".join(str(error).split())[:200]
