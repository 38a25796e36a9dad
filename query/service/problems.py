"""What went wrong, as a program reads it: problem documents (RFC 9457), and the status that goes with each reason."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response

from catalog.errors import DownloadError, ImageError
from catalog.records import Reason

MEDIA_TYPE = "application/problem+json"

# A photo's reasons; one that is not named here is 422: the photo came whole and can't be searched with.
STATUS_OF = {
    Reason.EMPTY_FILE: HTTPStatus.BAD_REQUEST,
    Reason.FILE_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.TOO_MANY_PIXELS: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.NOT_AN_IMAGE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.UNSUPPORTED_FORMAT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.OTHER_CONTENT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


class Problem(Exception):  # noqa: N818, RFC 9457's own word
    """An answer that is no result. `detail` says what is wrong and how to mend it; it holds nothing of the upload."""

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {reason}: {detail}")
        self.status = int(status)
        self.reason = str(reason)
        self.detail = detail
        self.headers = dict(headers or {})

    def document(self, instance: str) -> dict[str, Any]:
        """The problem document; `instance` is the path that was asked for."""
        return {
            "type": f"urn:lookbook:problem:{self.reason}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "reason": self.reason,
        }

    def response(self, instance: str) -> Response:
        """The answer that tells it."""
        body = json.dumps(self.document(instance)).encode()
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def of_photo(error: ImageError | DownloadError) -> Problem:
    """The problem that a photo's error is."""
    status = STATUS_OF.get(Reason(error.reason), HTTPStatus.UNPROCESSABLE_ENTITY)
    return Problem(status, error.reason, error.detail)


def busy(detail: str, retry_after_s: int = 1) -> Problem:
    """The service has its hands full."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, {"Retry-After": str(retry_after_s)})
