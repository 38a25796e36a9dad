"""POST /search and GET /products/{id}/similar."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from catalog.errors import DownloadError
from catalog.records import Reason
from query.service.answers import SearchAnswer
from query.service.asked import Asked, AskedOfPhoto, read_fields
from query.service.envelope import BUNDLE_HEADER
from query.service.parts import Parts, parts_of
from query.service.problems import Problem, of_photo
from query.service.searching import Event, search_photo, search_similar
from query.service.uploads import PHOTO, Form, Upload
from query.service.values import as_json

LOG = logging.getLogger("lookbook")
LINES = "application/x-ndjson"
router = APIRouter()


def _form_schema() -> dict[str, Any]:
    schema = AskedOfPhoto.model_json_schema()
    schema["title"] = "SearchForm"
    schema["properties"][PHOTO] = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": "One photo: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF. Needed unless `url` is given.",
    }
    schema["required"] = [PHOTO]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.post(
    "/search",
    summary="Find the products nearest to a photo",
    response_model=SearchAnswer,
    responses={
        200: {
            "description": "The whole answer; with `Accept: application/x-ndjson` a line a stage, the answer last.",
            "content": {LINES: {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=_form_schema(),
)
async def search(request: Request) -> Response:
    parts = parts_of(request)
    parts.shelf.current()  # nothing is received for a service that can't answer
    upload = Upload(request, parts.memory, parts.settings.max_bytes, parts.settings.upload_s)
    try:
        form = await upload.form()
        asked = read_fields(form.fields)
        content = await _photo_of(form, asked, upload, parts)
    except BaseException:
        upload.let_go()
        raise
    finally:
        parts.metrics.received(upload.received_bytes)
    return await _answered(request, parts, upload, content, asked)


async def _answered(request: Request, parts: Parts, upload: Upload, content: bytes, asked: AskedOfPhoto) -> Response:
    """Search in turn; the upload is let go when that is done. Raises: Problem for what can't be searched with."""
    in_lines = LINES in request.headers.get("accept", "")
    pictures = in_lines if asked.pictures is None else asked.pictures
    opened = parts.shelf.current()
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    def tell(event: Event) -> None:
        loop.call_soon_threadsafe(events.put_nowait, event)

    def work() -> bytes:
        found = search_photo(
            opened,
            content,
            asked,
            parts.settings.max_pixels,
            pictures=pictures,
            tell=tell if in_lines else None,
        )
        parts.metrics.searched(found["milliseconds"])
        return as_json({"event": "results", **found} if in_lines else found)

    try:
        future = parts.turns.run(work)
    except Problem:
        upload.let_go()
        raise
    future.add_done_callback(lambda _: upload.let_go())
    headers = {BUNDLE_HEADER: opened.version}
    if not in_lines:
        return Response(await asyncio.shield(future), headers=headers, media_type="application/json")
    future.add_done_callback(lambda _: events.put_nowait(None))
    first = await events.get()
    if first is None:  # it failed before there was anything to tell: a plain problem
        await future
    return StreamingResponse(_lines(first, events, future, request.url.path), headers=headers, media_type=LINES)


async def _lines(
    first: Event | None, events: "asyncio.Queue[Event | None]", future: "asyncio.Future[bytes]", path: str
) -> AsyncIterator[bytes]:
    event = first
    while event is not None:
        yield as_json(event) + b"\n"
        event = await events.get()
    try:
        yield await future + b"\n"
    except Problem as problem:
        yield as_json({"event": "problem", **problem.document(path)}) + b"\n"
    except Exception:
        LOG.exception("POST %s failed", path)
        told = Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "the service failed at this photo; its log says where"
        )
        yield as_json({"event": "problem", **told.document(path)}) + b"\n"


async def _photo_of(form: Form, asked: AskedOfPhoto, upload: Upload, parts: Parts) -> bytes:
    """The photo's bytes: those that were sent, or those at the address that was sent instead.

    Raises: Problem where there is not one of both, the address can't be had, or there is no room for it.
    """
    fetch = parts.settings.fetch_photo
    if asked.url is not None and fetch is None:
        raise Problem(HTTPStatus.FORBIDDEN, "no_search_by_url", "this service takes photos, no addresses; send a file")
    if form.photo is not None and asked.url is None:
        return form.photo
    if form.photo is not None or asked.url is None or fetch is None:
        told = f"send one photo in the field {PHOTO!r}" + (", or its address in `url`" if fetch else "")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no_photo", told)
    try:
        content = await asyncio.shield(parts.fetches.run(partial(fetch, asked.url, parts.settings.max_bytes)))
    except DownloadError as error:
        if error.reason == Reason.ADDRESS_REFUSED:  # why would tell what this machine's own network looks like
            told = "only http and https addresses of public machines are fetched; send the photo itself"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.reason, told) from error
        raise of_photo(error) from error
    upload.hold(len(content))
    return content


@router.get(
    "/products/{product_id:path}/similar",
    summary="Find the products most like one of the catalogue's own",
    response_model=SearchAnswer,
)
async def similar(request: Request, product_id: str, asked: Annotated[Asked, Query()]) -> Response:
    parts = parts_of(request)
    opened = parts.shelf.current()
    found = await asyncio.shield(parts.turns.run(partial(search_similar, opened, product_id, asked)))
    return Response(as_json(found), headers={BUNDLE_HEADER: opened.version}, media_type="application/json")
