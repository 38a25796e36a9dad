"""Every error that Lookbook raises on purpose. A message says what is wrong, where, and how to mend it."""


class LookbookError(Exception):
    """Base of all errors that a user can mend; the command line prints its message as one line."""


class FeedError(LookbookError):
    """A feed that can't be read at all, or that holds no good product."""


class ImageError(LookbookError):
    """One photo that can't be used; `reason` names why, as in `catalog.records.Reason`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class DownloadError(LookbookError):
    """One web address whose content can't be had; `reason` names why, as in `catalog.records.Reason`."""

    def __init__(self, reason: str, detail: str, *, status: int = 0) -> None:
        """`status` is the HTTP status of the answer that was refused; 0 where there was none."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status


class FormatError(LookbookError):
    """A file of ours whose bytes are not what its format says."""


class ProfileError(LookbookError):
    """A profile or settings file that can't be used."""


class ModelError(LookbookError):
    """A model that is missing, is not the one described, or does not do what its description says."""


class BundleError(LookbookError):
    """A bundle that can't be trusted: a file is missing, cut short or exchanged, or its manifest is not ours."""
