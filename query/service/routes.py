"""What is read from a service: the page, the bundle's pictures and products, and how the service is."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from query.service import values
from query.service.answers import BundleAnswer, Health, KeyNeeded, ProductAnswer, Ready
from query.service.envelope import BUNDLE_HEADER
from query.service.pages import INDEX
from query.service.parts import parts_of
from query.service.problems import Problem
from query.service.searching import photo_limits

YEAR_S = 365 * 24 * 3600
NOT_TOLD = "the log says why, and so does this address with the key"  # paths of the machine may be in it
router = APIRouter()


@router.get("/", include_in_schema=False)
async def page(request: Request) -> Response:
    return _page_file(request, INDEX)


@router.get("/page/{name}", include_in_schema=False)
async def page_file(request: Request, name: str) -> Response:
    return _page_file(request, name)


def _page_file(request: Request, name: str) -> Response:
    file = parts_of(request).page.get(name)
    if file is None:
        raise Problem(HTTPStatus.NOT_FOUND, "not_found", "the page has no such file")
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if _has(request.headers.get("if-none-match", ""), file.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _has(if_none_match: str, etag: str) -> bool:
    """Does the sender have it? The header is `*` or a list of tags, each perhaps marked as weak (RFC 9110, 13.1.2)."""
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in if_none_match.split(","))


@router.get("/bundle", summary="What is served, and what a search may ask for", response_model=BundleAnswer | KeyNeeded)
async def bundle(request: Request) -> Response:
    parts = parts_of(request)
    if not parts.guard.has_key(request.headers):
        return JSONResponse({"key_needed": True})
    opened = parts.shelf.current()
    limits = photo_limits(opened, parts.settings.max_pixels)
    told = {
        **opened.about,
        "limits": {"bytes": min(parts.settings.max_bytes, limits.max_bytes), "pixels": limits.max_pixels},
        "key_needed": bool(parts.settings.key),
    }
    headers = {BUNDLE_HEADER: opened.version}
    return Response(values.as_json(told), headers=headers, media_type="application/json")


@router.get(
    "/thumbs/{name}",
    summary="An item's picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def thumb(request: Request, name: str) -> Response:
    parts = parts_of(request)
    content = await run_in_threadpool(parts.shelf.thumb, name)
    kept_by = "private" if parts.settings.key else "public"
    headers = {"Cache-Control": f"{kept_by}, max-age={YEAR_S}, immutable"}
    return Response(content, headers=headers, media_type="image/jpeg")


@router.get("/products/{product_id:path}", summary="A product's items", response_model=ProductAnswer)
async def product(request: Request, product_id: str) -> Response:
    opened = parts_of(request).shelf.current()
    rows = await run_in_threadpool(opened.engine.bundle.rows_of_product, product_id)
    if not len(rows):
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_product", "this bundle has no such product; search again")
    items = [values.item_values(opened, int(row)) for row in rows]
    told = {"bundle": opened.brief, "product_id": product_id, "items": items}
    headers = {BUNDLE_HEADER: opened.version}
    return Response(values.as_json(told), headers=headers, media_type="application/json")


@router.get("/healthz", summary="Does the process answer?", response_model=Health)
async def healthz() -> Response:
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Is there a bundle to search?", response_model=Ready)
async def readyz(request: Request) -> Response:
    parts = parts_of(request)
    if parts.guard.has_key(request.headers):
        version, problem = parts.shelf.current().version, parts.shelf.problem
        return JSONResponse({"status": "ready", "version": version, "problem": problem})
    if not parts.shelf.version:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", NOT_TOLD, {"Retry-After": "2"})
    return JSONResponse({"status": "ready", "version": "", "problem": parts.shelf.problem and NOT_TOLD})


@router.get(
    "/metrics",
    summary="Counts for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    return Response(parts_of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
