"""Model files from a hub or a web address: what is there, and fetching it, a part fetched earlier gone on with.

The one module that names huggingface_hub, whose variables hold here as everywhere: HF_ENDPOINT, HF_TOKEN,
HF_HUB_OFFLINE, HF_HUB_CACHE, proxies and time-outs. Files come over plain HTTP: the library's own download of a whole
file leaves no part behind when it is killed.
"""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from catalog.checkpoint_files import needs_extra
from catalog.errors import ModelError
from catalog.formats import digests
from catalog.model_descriptions import ModelDescription
from resources.model_sources import Offer, OfferedFile, offer_of_path, repository

ELSE = "another hub: --mirror URL; files brought by hand: --from FOLDER, or `lookbook models import`"


def offer_of(row: ModelDescription, revision: str, *, mirror: str = "", offline: bool = False) -> Offer:
    """What the row's own source has, at `revision` ("" for what its main branch is now).

    Without a network a hub's own cache on this machine is the source. A mirror is never sent the user's token.
    Raises: ModelError when huggingface_hub is missing, or the source can't be reached or doesn't have it.
    """
    with needs_extra(f"pulling model {row.name}"):
        import huggingface_hub
        import huggingface_hub.file_download
    huggingface_hub.utils.logging.set_verbosity_error()
    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True  # nor does it ask huggingface.co when a mirror is named
    repo = repository(row)
    if offline or huggingface_hub.constants.HF_HUB_OFFLINE:
        return _offer_of_cache(row, revision)
    return _offer_of_repository(row, repo, revision, mirror) if repo else _offer_of_address(row)


def _offer_of_repository(row: ModelDescription, repo: str, revision: str, mirror: str) -> Offer:
    from huggingface_hub import HfApi, constants, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    token = False if mirror else None
    endpoint = mirror.rstrip("/") or constants.ENDPOINT
    where = f"{_without_login(endpoint)}/{repo}"
    with _told(where, revision, ELSE):
        info = HfApi(endpoint=endpoint, token=token).model_info(
            repo, revision=revision or "main", files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT
        )
        headers = build_hf_headers(token=token)
    if not info.sha or info.siblings is None or (revision and info.sha != revision):
        raise ModelError(f"{where}: does not answer as a hub does (commit {info.sha!r}); {ELSE}")
    files = {}
    for entry in info.siblings:
        url = hf_hub_url(repo, entry.rfilename, revision=info.sha, endpoint=endpoint)
        sha256 = entry.lfs.sha256 if entry.lfs else ""
        fetch = partial(_fetch, url, entry.size, headers, where, info.sha)
        files[entry.rfilename] = OfferedFile(entry.size, sha256, fetch)
    return Offer(where, info.sha, info.sha, files)


def _offer_of_address(row: ModelDescription) -> Offer:
    """One file at a web address; its size is asked for, since only then can a part be gone on with."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    url = row.source.partition(":")[2]
    asked: dict[str, str] = {"Accept-Encoding": "identity"}
    with _told(url, "", f"bring the file by hand: lookbook models import {row.name} FILE"):
        answer = get_session().head(url, headers=asked, timeout=constants.HF_HUB_ETAG_TIMEOUT, follow_redirects=True)
        if answer.status_code not in (403, 405, 501):  # such a server knows GET only
            _raise_for_status(answer)
    length = answer.headers.get("Content-Length", "")
    size = int(length) if answer.is_success and length.isdecimal() else None
    tag = answer.headers.get("ETag", "") if answer.is_success else ""
    state = digests.of_values(url, size, tag)[:40] if size is not None else ""
    return Offer(
        url, "", state, {PurePosixPath(url).name: OfferedFile(size, "", partial(_fetch, url, size, {}, url, ""))}
    )


def _offer_of_cache(row: ModelDescription, revision: str) -> Offer:
    """A snapshot that the hub's own library has on this machine."""
    from huggingface_hub import try_to_load_from_cache

    repo = repository(row)
    if not repo:
        raise ModelError(f"model {row.name}: offline; bring its file by hand: lookbook models import {row.name} FILE")
    for file in (name for either in row.files for name in either.split("|")):
        found = try_to_load_from_cache(repo, file, revision=revision or None)
        if isinstance(found, str):
            return offer_of_path(Path(found).parent, row)
    at = f" at revision {revision}" if revision else ""
    raise ModelError(
        f"model {row.name}: offline, and {repo}{at} is not in the hub's cache on this machine; pull without --offline "
        "and HF_HUB_OFFLINE, or bring its files by hand: --from FOLDER, or `lookbook models import`"
    )


def _fetch(url: str, size: int | None, headers: dict[str, str], where: str, revision: str, target: Path) -> None:
    """Fetch one file to `target`, going on with what lies there."""
    from huggingface_hub.file_download import http_get

    there = target.stat().st_size if target.exists() else 0
    if there and (size is None or there > size):
        target.unlink()
        there = 0
    if size is not None and there == size and size:
        return
    # Unpacked: a packed answer has another length, and can't be gone on with.
    asked = {**headers, "Accept-Encoding": "identity"}
    with target.open("ab") as file, _told(where, revision, f"what came is kept: run it again to go on; or {ELSE}"):
        http_get(
            url, file, resume_size=there, headers=asked, expected_size=size, displayed_filename=PurePosixPath(url).name
        )


@contextlib.contextmanager
def _told(where: str, revision: str, mend: str) -> Iterator[None]:
    """Turn the library's errors into one line; never its own words, which may hold a signed address or a token."""
    from huggingface_hub import errors

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(f"{where}: offline by HF_HUB_OFFLINE; unset it, or {mend}") from error
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{where}: gated: accept its terms on its page with an account, and give that account's token in HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{where}: has no revision {revision}, or has it no more; {mend}") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{where}: no such repository, or a private one (then give a token in HF_TOKEN); {mend}"
        ) from error
    except errors.HfHubHTTPError as error:
        raise ModelError(f"{where}: {_status(error.response.status_code)}; {mend}") from error
    except errors.HTTPError as error:  # httpx's base: no connection, no name, a proxy's refusal, a time-out
        raise ModelError(f"{where}: can't be reached ({type(error).__name__}); {mend}") from error
    except (ValueError, KeyError, TypeError) as error:  # an answer that is no JSON, or another's
        raise ModelError(f"{where}: does not answer as a hub does ({type(error).__name__}); {mend}") from error
    except OSError as error:
        if error.errno is None:  # the library's own, of a length that is not the one promised
            raise ModelError(
                f"{where}: the connection broke, or another file came than was promised; {mend}"
            ) from error
        raise


def _raise_for_status(response: Any) -> None:
    from huggingface_hub.utils import hf_raise_for_status

    hf_raise_for_status(response)


def _status(code: int) -> str:
    meanings = {
        401: "the token in HF_TOKEN, or the one that `hf auth login` keeps, is refused",
        403: "access is forbidden; the token in HF_TOKEN may lack the right",
        404: "not found",
        429: "too many requests; wait some minutes",
    }
    return f"status {code}: {meanings.get(code, 'the server is in trouble' if code >= 500 else 'refused')}"


def _without_login(address: str) -> str:
    """An address without the user name and password that it may hold."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
