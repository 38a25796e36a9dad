"""The parts that a running service is made of, put together once."""

from dataclasses import dataclass, field

from starlette.requests import Request

from query.service.guard import Guard
from query.service.metrics import Metrics
from query.service.pages import PageFile, read_page
from query.service.settings import MIB, Settings
from query.service.shelf import Shelf
from query.service.turns import Turns
from query.service.uploads import Memory

LEAST_MEMORY = 256 * MIB
FETCHES = 4  # photos by their address, at once


@dataclass
class Parts:
    """What the routes work with."""

    settings: Settings
    shelf: Shelf = field(init=False)
    turns: Turns = field(init=False)
    memory: Memory = field(init=False)
    metrics: Metrics = field(init=False)
    guard: Guard = field(init=False)
    fetches: Turns = field(init=False)
    page: dict[str, PageFile] = field(default_factory=read_page)

    def __post_init__(self) -> None:
        settings = self.settings
        self.shelf = Shelf(settings.bundle, settings.trust, settings.look_every_s)
        self.turns = Turns(settings.at_once, settings.waiting)
        self.memory = Memory(max(LEAST_MEMORY, 4 * settings.max_bytes))
        self.metrics = Metrics(self.shelf, self.turns, self.memory)
        self.guard = Guard(settings)
        self.fetches = Turns(FETCHES, settings.waiting)


def parts_of(request: Request) -> Parts:
    """Those of the service that a request came to."""
    parts: Parts = request.app.state.parts
    return parts
