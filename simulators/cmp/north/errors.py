"""The errors of the API: status, code and message as its documents give them."""

from __future__ import annotations

from simwarden.errors import ManagementError


class ApiError(ManagementError):
    """The call is refused. `status` is the HTTP status, `code` the API's word for it, the message its sentence.

    Its body is the `ErrorInfo`.
    """

    def __init__(self, status: int, code: str, message: str, *, allow: tuple[str, ...] = ()) -> None:
        super().__init__(status, message, code=code, allow=allow)


def invalid(message: str, code: str = "INVALID_ARGUMENT") -> ApiError:
    """Return a 400."""
    return ApiError(400, code, message)


def unauthenticated() -> ApiError:
    """Return a 401."""
    message = "Request not authenticated due to missing, invalid, or expired credentials."
    return ApiError(401, "UNAUTHENTICATED", message)


def denied() -> ApiError:
    """Return a 403."""
    return ApiError(403, "PERMISSION_DENIED", "Client does not have sufficient permissions to perform this action.")


def not_found() -> ApiError:
    """Return a 404 for a resource."""
    return ApiError(404, "NOT_FOUND", "The specified resource is not found.")


def not_allowed(allow: tuple[str, ...]) -> ApiError:
    """Return a 405 with the methods that a resource has."""
    return ApiError(405, "METHOD_NOT_ALLOWED", f"The resource has {', '.join(allow)} only.", allow=allow)


def no_device() -> ApiError:
    """Return a 404 for a device; the same for one of another customer, who need not know that it exists."""
    return ApiError(404, "IDENTIFIER_NOT_FOUND", "Device identifier not found.")


def missing_identifier() -> ApiError:
    """Return a 422: neither request nor token names a device."""
    return ApiError(422, "MISSING_IDENTIFIER", "The device cannot be identified.")


def unsupported_identifier() -> ApiError:
    """Return a 422: the device is named by addresses only, and the platform knows none."""
    message = "None of the provided identifiers is supported by the implementation."
    return ApiError(422, "UNSUPPORTED_IDENTIFIER", message)


def unnecessary_identifier() -> ApiError:
    """Return a 422: the token names a device, and so does the request."""
    message = (
        "An explicit identifier has been provided for the device when this is already identified by the access token"
    )
    return ApiError(422, "UNNECESSARY_IDENTIFIER", message)


def quota() -> ApiError:
    """Return a 429: a limit of the business."""
    return ApiError(429, "QUOTA_EXCEEDED", "Rejected due to exceeding a business quota limit.")


def too_many() -> ApiError:
    """Return a 429: too fast."""
    return ApiError(429, "TOO_MANY_REQUESTS", "Rejected due to request rate limit overpassed.")


def unknown() -> ApiError:
    """Return a 500: a bug of ours."""
    return ApiError(500, "INTERNAL", "Unknown server error.")


def unavailable() -> ApiError:
    """Return a 503: the database does not answer."""
    return ApiError(503, "UNAVAILABLE", "Service Unavailable.")
