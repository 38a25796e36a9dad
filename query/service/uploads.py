"""A search's form, read as it comes: counted while it is received, kept in memory only, never written anywhere."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from catalog.records import Reason
from query.service.problems import Problem, busy

MOST_PARTS = 40
MOST_FIELD_BYTES = 8192
FORM_BYTES = 65_536  # what a form may hold beside its photo: fields, boundaries, headers
PHOTO = "file"


@dataclass
class Form:
    """A form's fields by name, and its photo, whatever name that had on its sender's machine."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    photo: bytes | None = None


class Memory:
    """How many bytes of forms and fetched photos are held at once, over all requests: they may not fill the machine."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def hold(self, count: int) -> None:
        """Raises: Problem where there is no room left."""
        if self.held_bytes + count > self.most_bytes:
            raise busy("too many large photos at once; try again in a moment")
        self.held_bytes += count

    def let_go(self, count: int) -> None:
        """They are not needed any more."""
        self.held_bytes -= count


class Upload:
    """One request's body, on its way to a form: its bytes are held in `memory` until `let_go`."""

    def __init__(self, request: Request, memory: Memory, max_bytes: int, within_s: float) -> None:
        self._request = request
        self._memory = memory
        self._max_bytes = max_bytes
        self._within_s = within_s
        self._held_bytes = 0
        self.received_bytes = 0

    async def form(self) -> Form:
        """Raises: Problem for what is no form, too large or too slow; ClientDisconnect where the sender left."""
        boundary = self._boundary()
        reader = _FormReader(boundary, self._max_bytes)
        try:
            async with asyncio.timeout(self._within_s):
                async for chunk in self._counted():
                    reader.write(chunk)
        except TimeoutError as error:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT,
                "too_slow",
                f"the form was not here after {self._within_s:g} s; send a smaller copy of the photo",
            ) from error
        return reader.form()

    def hold(self, count: int) -> None:
        """Hold so many bytes more for this request. Raises: Problem where there is no room left."""
        self._memory.hold(count)
        self._held_bytes += count

    def let_go(self) -> None:
        """What it holds is not needed any more."""
        self._memory.let_go(self._held_bytes)
        self._held_bytes = 0

    def _boundary(self) -> bytes:
        headers = self._request.headers
        kind, options = parse_options_header(headers.get("content-type"))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "not_a_form",
                f"the body must be multipart/form-data with the photo in the field {PHOTO!r}",
            )
        if headers.get("content-encoding", "identity") != "identity":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "packed", "a body with a Content-Encoding is not read; send it plain"
            )
        told = headers.get("content-length", "")
        if told.isdecimal() and int(told) > self._max_bytes + FORM_BYTES:
            raise _too_large(self._max_bytes)
        return options[b"boundary"]

    async def _counted(self) -> AsyncIterator[bytes]:
        async for chunk in self._request.stream():
            self.hold(len(chunk))
            self.received_bytes += len(chunk)
            if self.received_bytes > self._max_bytes + FORM_BYTES:
                raise _too_large(self._max_bytes)
            yield chunk


class _FormReader:
    """Takes a form apart while it comes."""

    def __init__(self, boundary: bytes, max_bytes: int) -> None:
        self._form = Form()
        self._max_bytes = max_bytes
        self._parts = 0
        self._whole = False
        self._header = b""
        self._value = b""
        self._name = ""
        self._body = io.BytesIO()  # gives its bytes away without a copy
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Raises: Problem for what is no form."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _broken(str(error)) from error

    def form(self) -> Form:
        """The form, which is whole. Raises: Problem where it was cut short."""
        if not self._whole:
            raise _broken("it ends before its last boundary")
        return self._form

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _broken(f"it has more than {MOST_PARTS} parts")
        self._name, self._body = "", io.BytesIO()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        if not self._name:
            raise _broken("a part has no name")
        if self._name == PHOTO and self._form.photo is not None:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", f"{PHOTO}: one photo a search; send one")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._body.write(data[start:end])
        if self._name == PHOTO:
            if self._body.tell() > self._max_bytes:
                raise _too_large(self._max_bytes)
        elif self._body.tell() > MOST_FIELD_BYTES:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", f"a field holds over {MOST_FIELD_BYTES} bytes")

    def _end(self) -> None:
        if self._name == PHOTO:
            self._form.photo = self._body.getvalue()
        else:
            try:
                text = self._body.getvalue().decode("utf-8")
            except UnicodeDecodeError as error:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", "a field is not UTF-8 text") from error
            self._form.fields.setdefault(self._name, []).append(text)
        self._body = io.BytesIO()

    def _all(self) -> None:
        self._whole = True


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Reason.FILE_TOO_LARGE,
        f"at most {max_bytes} bytes are read; send a smaller copy of the photo",
    )


def _broken(why: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "broken_form", f"the form can't be read ({why}); send it again")
