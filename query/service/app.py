"""The application: routes, what becomes of an error, and the parts that begin and end with it."""

import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from query.service import routes, search_routes
from query.service.answers import ProblemAnswer
from query.service.asked import bad_field
from query.service.envelope import Envelope
from query.service.parts import Parts
from query.service.problems import MEDIA_TYPE, Problem
from query.service.settings import Settings

TOLD = {
    HTTPStatus.NOT_FOUND: ("not_found", "there is nothing here; GET /openapi.json lists what there is"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("bad_method", "this can't be asked with this method; see the header Allow"),
}


def build_api(parts: Parts) -> FastAPI:
    """The routes and their description, without what is true of every request."""

    @contextlib.asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        parts.shelf.start()
        yield
        parts.shelf.stop()
        parts.turns.close()
        parts.fetches.close()

    api = FastAPI(
        title="Lookbook",
        version=version("lookbook"),
        summary="Search a shop's catalogue by photo.",
        lifespan=running,
        docs_url=None,  # both draw their pages from other sites
        redoc_url=None,
        responses={
            "4XX": {"description": "What is wrong and how to mend it.", "content": {MEDIA_TYPE: _PROBLEM}},
            "5XX": {"description": "The service can't answer now.", "content": {MEDIA_TYPE: _PROBLEM}},
        },
    )
    api.state.parts = parts
    api.include_router(search_routes.router)
    api.include_router(routes.router)
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(RequestValidationError, _problem)
    api.add_exception_handler(HTTPException, _problem)
    return api


def build_app(settings: Settings) -> ASGIApp:
    """The whole service, for an ASGI server."""
    parts = Parts(settings)
    return Envelope(build_api(parts), parts.guard, parts.metrics, parts.shelf)


_PROBLEM = {"schema": ProblemAnswer.model_json_schema()}


async def _problem(request: Request, error: Exception) -> Response:
    return _as_problem(error).response(request.url.path)


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return bad_field(error)
    if isinstance(error, HTTPException):
        reason, detail = TOLD.get(HTTPStatus(error.status_code), ("refused", str(error.detail)))
        return Problem(error.status_code, reason, detail, error.headers)
    raise error
