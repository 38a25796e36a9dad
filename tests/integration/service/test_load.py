"""Two hundred clients at once, and many requests after one another: nothing is mixed up, nothing piles up."""

import asyncio
import itertools

import httpx
import psutil

CLIENTS = 200
WARM, MORE = 60, 120  # searches
GROWTH = 16 * 2**20  # bytes, of noise: 120 kept photos or results would be more


def test_two_hundred_clients_at_once(service, photos):
    """Each is answered, with what its own photo finds or with 503 and when to come again."""
    wanted = [service.search(photo, k=3).json()["results"] for photo in photos]

    async def ask(client: httpx.AsyncClient, place: int) -> tuple[int, httpx.Response]:
        photo = photos[place % len(photos)]
        return place, await client.post(f"{service.url}/search", files={"file": photo}, data={"k": "3"})

    async def all_at_once() -> list[tuple[int, httpx.Response]]:
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(limits=limits, timeout=120) as client:
            return await asyncio.gather(*(ask(client, place) for place in range(CLIENTS)))

    answered = asyncio.run(all_at_once())
    assert {response.status_code for _, response in answered} <= {200, 503}
    good = [(place, response) for place, response in answered if response.status_code == 200]
    assert len(good) >= 32
    for place, response in good:
        assert response.json()["results"] == wanted[place % len(photos)]
    for _, response in answered:
        if response.status_code == 503:
            assert (response.json()["reason"], response.headers["Retry-After"]) == ("busy", "1")
    assert service.metric("lookbook_searches_waiting") == 0
    assert service.metric("lookbook_uploads_held_bytes") == 0
    assert "Traceback" not in service.log


def test_memory_does_not_grow(service, photos):
    """After a warm-up, 120 searches later the process holds what it held; benchmarks/service.py asks 5,000."""
    process = psutil.Process(service.process.pid)

    def ask(count: int) -> int:
        with httpx.Client(timeout=60) as client:
            for photo in itertools.islice(itertools.cycle(photos), count):
                client.post(f"{service.url}/search", files={"file": photo}).raise_for_status()
        return process.memory_info().rss

    before = ask(WARM)
    assert ask(MORE) - before < GROWTH


def test_it_ends_when_it_is_told(serve, current, photos):
    """A search that runs is answered first."""
    service = serve(current)
    with httpx.Client(timeout=30) as client:
        client.post(f"{service.url}/search", files={"file": photos[0]}).raise_for_status()
    service.process.terminate()
    service.process.wait(timeout=30)
    assert "Traceback" not in service.log
