"""Every error partway raises on purpose.

    PartwayError
    ├── Refused                         the request is refused and nothing has changed
    │   ├── NotFound                    no such video, token, key, page
    │   ├── Unauthorized                who are you?
    │   │   ├── MissingAuthorization
    │   │   ├── InvalidAuthorization
    │   │   ├── InvalidApiKey
    │   │   ├── InvalidAccessToken
    │   │   ├── MissingUploadToken
    │   │   └── InvalidUploadToken
    │   ├── TooManyRequests             rate limits are switched on, and used up
    │   ├── WebhookLimitReached         there are as many as there may be
    │   ├── InvalidCredentials          a wrong key or refresh token at /auth/*
    │   ├── InvalidRequest              the request itself is wrong
    │   │   ├── InvalidPayload
    │   │   ├── MissingAttribute
    │   │   ├── InvalidAttribute
    │   │   ├── InvalidQueryParameter
    │   │   └── SeveralProblems
    │   ├── SummaryExists               a video has one summary
    │   ├── NoLiveStreams
    │   └── UploadRefused               contract.md 1.1, the table of upload errors
    │       ├── FileMissing, SeveralFiles, FileEmpty, FileTooLarge
    │       ├── FileInvalid, ExtensionInvalid    an image or a text that is none
    │       ├── AlreadyUploaded, AlreadyCopied, AlreadyDownloaded, AlreadyInitiated
    │       ├── UploadHasGaps           finish was asked for too early
    │       ├── RangeMalformed, StartedWithPart, StartedWithBytes
    │       ├── PartRefused
    │       │   └── PartZero, PartAboveLimit, PartAboveTotal, PartAlreadySent,
    │       │       PartsTotalZero, PartsTotalAboveLimit, PartsTotalTooLow,
    │       │       PartsTotalDiffers, PartTooSmall
    │       └── BytesRefused
    │           └── FromAboveTo, ToAboveTotal, ToAboveLimit, BytesTotalZero,
    │               BytesTotalAboveLimit, BytesTotalTooLow, BytesTotalDiffers,
    │               RangeMismatch, RangeOverlap, RangeTooSmall, RangeTooLarge
    ├── BodyError                       the request's body could not be read
    │   ├── BodyBroken                  not valid multipart
    │   └── ClientGone                  the connection ended inside the body
    ├── NotReady                        it will be there later
    ├── BlobError                       the blob store failed
    │   ├── BlobExists
    │   └── BlobMissing
    ├── MediaError                      the bytes are not a video we can use as they are
    │   ├── MediaMalformed              broken or hostile tables
    │   ├── MediaTooLarge               beyond a bound of ours
    │   └── MediaUnsupported            sound, but needs transcoding
    ├── JobError                        work that outlives a request
    │   ├── JobStopped                  raised inside a handler: leave now, and leave nothing running
    │   │   ├── JobCancelled            somebody called the job off
    │   │   ├── LeaseLost               another worker may have it
    │   │   └── WorkerStopping          the job goes back, for another worker
    │   ├── JobPostponed                raised by a handler: not yet, and not its fault
    │   ├── JobHopeless                 raised by a handler: trying again would not help
    │   └── JobsUnavailable             the database of the jobs can't be reached
    ├── ProgramFailed                   an external program did not do its work, through no fault of the file
    │   └── ProgramMissing              it is not installed, or too old
    ├── DeliveryFailed                  a webhook could not be told
    ├── FetchError                      a source could not be fetched from its address
    │   ├── FetchRefused                and never will be
    │   └── FetchBroken                 it may be on another try
    ├── AddressRefused                  a URL leads to an address that this server may not connect to
    ├── ClientError                     raised by partway.client
    │   ├── ServerRefused               the server answered with a problem object
    │   ├── ServerUnreachable           no answer within the retry time; try again later
    │   └── FileChanged                 this is not the file that was started
    └── ConfigurationError              a setting is wrong; the message says which and what to do

No HTTP here: ``api/problems.py`` holds the one table from these classes to status codes.
The first docstring line of a refusal is its default message.
"""

from __future__ import annotations

from collections.abc import Sequence


class PartwayError(Exception):
    """Something partway knows about went wrong."""

    def __str__(self) -> str:
        return super().__str__() or message_of(type(self))


def message_of(error: type[BaseException]) -> str:
    """The first docstring line of an error class, which is its default message."""
    return (error.__doc__ or error.__name__).strip().splitlines()[0]


class Refused(PartwayError):
    """The request was refused."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        name: str | None = None,
        allowed: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(detail or message_of(type(self)))
        self.detail = detail
        self.name = name
        self.allowed = allowed
        """Smallest and largest value that would have been accepted, where that is the complaint."""


class NotFound(Refused):
    """The requested resource was not found."""


class Unauthorized(Refused):
    """The request is not authenticated."""


class MissingAuthorization(Unauthorized):
    """The "Authorization" header is missing."""


class InvalidAuthorization(Unauthorized):
    """The "Authorization" header value is invalid."""


class InvalidApiKey(Unauthorized):
    """The API key is invalid."""


class InvalidAccessToken(Unauthorized):
    """The access token is invalid or expired."""


class MissingUploadToken(Unauthorized):
    """The upload token is missing."""


class InvalidUploadToken(Unauthorized):
    """The upload token is invalid or expired."""


class TooManyRequests(Refused):
    """Too many requests."""

    seconds = 1
    """How long to wait."""


class WebhookLimitReached(Refused):
    """Your account has reached the webhook urls limit."""


class InvalidCredentials(Refused):
    """The user credentials were incorrect."""


class InvalidRequest(Refused):
    """The request is invalid."""


class InvalidPayload(InvalidRequest):
    """The payload is invalid."""


class MissingAttribute(InvalidRequest):
    """This attribute is required."""


class InvalidAttribute(InvalidRequest):
    """An attribute is invalid."""


class InvalidQueryParameter(InvalidRequest):
    """A query parameter is invalid."""


class SeveralProblems(InvalidRequest):
    """Several attributes are invalid."""

    def __init__(self, problems: Sequence[Refused]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class SummaryExists(Refused):
    """A summary already exists or is being created on this video."""


class NoLiveStreams(Refused):
    """This server has no live streams."""


class UploadRefused(Refused):
    """The upload was refused."""


class FileMissing(UploadRefused):
    """There is no uploaded file in the request."""


class SeveralFiles(UploadRefused):
    """There are more than one uploaded file in the request."""


class FileEmpty(UploadRefused):
    """The uploaded file is empty."""


class FileTooLarge(UploadRefused):
    """The uploaded file is too large."""


class FileInvalid(UploadRefused):
    """The uploaded file is invalid."""


class ExtensionInvalid(UploadRefused):
    """Only some file extensions are supported."""


class AlreadyUploaded(UploadRefused):
    """This video source has already been uploaded."""


class AlreadyCopied(UploadRefused):
    """This video source has already been copied from an existing video when the video was created."""


class AlreadyDownloaded(UploadRefused):
    """This video source has already been downloaded when the video was created."""


class AlreadyInitiated(UploadRefused):
    """This video source has already been initiated with a "Content-Range" upload."""


class UploadHasGaps(UploadRefused):
    """The upload can't be finished: bytes before its end are still missing."""


class RangeMalformed(UploadRefused):
    """The value of the "Content-Range" header is malformed, the expected format is \
"bytes <from_byte>-<to_byte>/<total_bytes>" or "part <part>/<total_parts>"."""


class StartedWithPart(UploadRefused):
    """This "Content-Range" upload has been started with "part", you cannot continue it with "bytes"."""


class StartedWithBytes(UploadRefused):
    """This "Content-Range" upload has been started with "bytes", you cannot continue it with "part"."""


class PartRefused(UploadRefused):
    """The part was refused."""


class PartZero(PartRefused):
    """The "part" value in the "Content-Range" header must be greater than 0."""


class PartAboveLimit(PartRefused):
    """The "part" value in the "Content-Range" header is higher than the maximum number of parts allowed for a video."""


class PartAboveTotal(PartRefused):
    """The "part" value in the "Content-Range" header is higher than the "total_parts" value you set for this video."""


class PartAlreadySent(PartRefused):
    """The "part" value in the "Content-Range" header collides with a previous one you already sent for this video."""


class PartsTotalZero(PartRefused):
    """The "total_parts" value in the "Content-Range" header must be greater than 0."""


class PartsTotalAboveLimit(PartRefused):
    """The "total_parts" value in the "Content-Range" header is higher than the maximum number of parts allowed for a \
video."""


class PartsTotalTooLow(PartRefused):
    """The "total_parts" value in the "Content-Range" header is lower than or equal to a part number you already sent \
for this video."""


class PartsTotalDiffers(PartRefused):
    """The "total_parts" value in the "Content-Range" header must be the same than the one you already set for this \
video."""


class PartTooSmall(PartRefused):
    """The uploaded file is too small."""


class BytesRefused(UploadRefused):
    """The byte range was refused."""


class FromAboveTo(BytesRefused):
    """The "from_byte" value in the "Content-Range" header is higher than the "to_byte" value."""


class ToAboveTotal(BytesRefused):
    """The "to_byte" value in the "Content-Range" header is higher than the "total_bytes" value you set for this \
video."""


class ToAboveLimit(BytesRefused):
    """The "to_byte" value in the "Content-Range" header is higher than the maximum upper bound allowed for a video."""


class BytesTotalZero(BytesRefused):
    """The "total_bytes" value in the "Content-Range" header must be greater than 0."""


class BytesTotalAboveLimit(BytesRefused):
    """The "total_bytes" value in the "Content-Range" header is higher than the maximum allowed limit."""


class BytesTotalTooLow(BytesRefused):
    """The "total_bytes" value in the "Content-Range" header is lower than or equal to the upper bound of a range you \
already sent for this video."""


class BytesTotalDiffers(BytesRefused):
    """The "total_bytes" value in the "Content-Range" header must be the same than the one you already set for this \
video."""


class RangeMismatch(BytesRefused):
    """The size of the file you sent is different than the range length you set in the "Content-Range" header."""


class RangeOverlap(BytesRefused):
    """The range in the "Content-Range" header overlaps with a previous one you already sent for this video."""


class RangeTooSmall(BytesRefused):
    """The range in the "Content-Range" header is too small."""


class RangeTooLarge(BytesRefused):
    """The range in the "Content-Range" header is too large."""


class BodyError(PartwayError):
    """The request's body could not be read."""


class BodyBroken(BodyError):
    """The request's body is not valid multipart/form-data."""


class ClientGone(BodyError):
    """The connection ended before the request's body did."""


class NotReady(PartwayError):
    """This is not there yet."""


class BlobError(PartwayError):
    """The blob store failed."""


class BlobExists(BlobError):
    """A blob with this key exists already; keys are never written twice."""

    def __str__(self) -> str:
        return f"There is a blob {self.args[0]} already." if self.args else super().__str__()


class BlobMissing(BlobError):
    """There is no blob with this key."""

    def __str__(self) -> str:
        return f"There is no blob {self.args[0]}." if self.args else super().__str__()


class MediaError(PartwayError):
    """This file can't be played as it is."""


class MediaMalformed(MediaError):
    """The file's index is damaged."""


class MediaTooLarge(MediaError):
    """The file's index is beyond the limits of this server."""


class MediaUnsupported(MediaError):
    """The file needs transcoding before a browser can play it."""

    facts: object = None
    """What is known of the file all the same; see ``partway.media.facts.facts_of``."""


class JobError(PartwayError):
    """A job could not be done."""


class JobStopped(JobError):
    """The job is to be left at once."""


class JobCancelled(JobStopped):
    """The job has been cancelled."""


class LeaseLost(JobStopped):
    """The lease of this job has ended; another worker may be doing it."""


class WorkerStopping(JobStopped):
    """The worker is stopping; the job goes back to be done by another one."""


class JobPostponed(JobError):
    """The job can't be done yet."""

    def __init__(self, seconds: float, detail: str = "") -> None:
        super().__init__(detail or message_of(type(self)))
        self.seconds = seconds
        """How long to wait before it is tried again."""


class JobHopeless(JobError):
    """The job can't be done, however often it is tried."""


class JobsUnavailable(JobError):
    """The database of the jobs can't be reached."""


class ProgramFailed(PartwayError):
    """A program that reads the file did not do its work; it may on another try."""


class ProgramMissing(ProgramFailed):
    """A program that this needs is not installed on this server."""


class DeliveryFailed(PartwayError):
    """There was no answer."""


class FetchError(PartwayError):
    """The source could not be fetched from its address."""


class FetchRefused(FetchError):
    """The source can't be had from its address."""


class FetchBroken(FetchError):
    """The source can't be had from its address at this moment."""


class AddressRefused(PartwayError):
    """This address is not public, and this server connects to no others."""


class ClientError(PartwayError):
    """The upload could not be done."""


class ServerRefused(ClientError):
    """The server refused the request."""

    def __init__(self, status: int, title: str, *, slug: str | None = None, detail: str | None = None) -> None:
        super().__init__(f"{title} ({detail})" if detail else title)
        self.status = status
        self.title = title
        self.slug = slug
        """The last path segment of the problem's ``type``, for example ``resource-not-found``."""
        self.detail = detail


class ServerUnreachable(ClientError):
    """The server can't be reached; try again later."""


class FileChanged(ClientError):
    """This is not the file that was started."""


class ConfigurationError(PartwayError):
    """A setting is wrong."""
