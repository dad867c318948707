"""Magento's ways to say no: JSON with unfilled placeholders, HTML pages and plain text, as recorded."""

import re
import secrets
from typing import Any


class Refusal(Exception):
    """An answer with a JSON body `{message, parameters?, errors?}`; placeholders stay in the message."""

    def __init__(
        self,
        status: int,
        message: str,
        parameters: dict[str, Any] | list[Any] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.parameters = parameters
        self.errors = errors

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return body

    @property
    def filled(self) -> str:
        """The message with its placeholders filled in, as asynchronous operations report it."""
        named = self.parameters or {}
        if isinstance(named, list):
            named = {str(place): value for place, value in enumerate(named, 1)}
        return re.sub(r"%(\w+)", lambda found: str(named.get(found[1], found[0])), self.message)


class PageAnswer(Exception):
    """An answer that is not JSON: a status, a media type and a text."""

    def __init__(self, status: int, media_type: str, text: str) -> None:
        super().__init__(f"{status} {media_type}")
        self.status = status
        self.media_type = media_type
        self.text = text


def not_authorised(resource: str) -> Refusal:
    """A bad token, no token and a missing permission all look like this."""
    return Refusal(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def no_route() -> Refusal:
    """Unknown route, unknown version or wrong verb."""
    return Refusal(404, "Request does not match any route.")


def not_processed() -> Refusal:
    """Unknown store code, or a read through the asynchronous interface."""
    return Refusal(400, "Specified request cannot be processed.")


def no_entity() -> Refusal:
    """An order, shipment or other entity that does not exist."""
    return Refusal(404, "The entity that was requested doesn't exist. Verify the entity and try again.")


def no_product() -> Refusal:
    """A product that does not exist."""
    return Refusal(404, "The product that was requested doesn't exist. Verify the product and try again.")


def required(field: str) -> Refusal:
    """An argument was left out."""
    return Refusal(400, '"%fieldName" is required. Enter and try again.', {"fieldName": field})


def not_supported(field: str) -> Refusal:
    """A data object holds a key that Magento does not know; the name comes back in camel case."""
    camel = "".join(part[:1].upper() + part[1:] for part in field.split("_"))
    return Refusal(400, '"%fieldName" is not supported. Correct the field name and try again.', {"fieldName": camel})


def wrong_type(value: Any, expected: str, field: str | None = None) -> Refusal:
    """A value of another type than the one that the service contract names."""
    said = f'The "{value}" value\'s type is invalid. The "{expected}" type was expected. Verify and try again.'
    return Refusal(400, said if field is None else f'Error occurred during "{field}" processing. {said}')


def internal_error() -> Refusal:
    """What a filter on an unknown field leads to."""
    report = secrets.token_hex(7)[:13]
    return Refusal(500, f"Internal Error. Details are available in Magento log file. Report ID: webapi-{report}")


def validation_failed(errors: list[tuple[str, str]]) -> Refusal:
    """Errors of validators as (message, field); the first one is repeated in the message, filled in."""
    message, field = errors[0]
    return Refusal(
        400,
        "Validation Failed: " + message.replace("%field", field),
        errors=[{"message": message, "parameters": {"field": field}} for message, field in errors],
    )


def document_refused(kind: str, reasons: list[str]) -> Refusal:
    """A shipment, invoice or credit memo that fails its validators."""
    return Refusal(400, "\n".join([f"{kind} Document Validation Error(s):", *reasons]))


def run_error() -> PageAnswer:
    """What an uncaught exception of the application gives: plain text."""
    text = "An error has happened during application run. See exception log for details.\n"
    return PageAnswer(500, "text/plain;charset=UTF-8", text)


def maintenance() -> PageAnswer:
    """Maintenance mode: HTML and no Retry-After, whatever the verb."""
    said = """<h1>Service Temporarily Unavailable</h1>
<p>
    The server is temporarily unable to service your request due to maintenance downtime or capacity problems.
    Please try again later.
</p>"""
    return PageAnswer(503, "text/html; charset=UTF-8", _page("Error 503: Service Unavailable", said))


def not_acceptable() -> PageAnswer:
    """An Accept header that Magento cannot serve."""
    said = f"""<h1>There has been an error processing your request</h1>
    <p><em>Exception printing is disabled by default for security reasons.</em></p>

    <p>Error log record number: {secrets.token_hex(32)}</p>"""
    page = _page("There has been an error processing your request", said)
    return PageAnswer(500, "text/html; charset=UTF-8", page)


def _page(title: str, said: str) -> str:
    return f"""<!doctype html>
<html xmlns="http://www.w3.org/1999/xhtml" >
<head>
    <title>{title}</title>
    <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
    <meta name="robots" content="*"/>
</head>
<body>
    <main class="page-main">
        \n{said}
    </main>
</body>
</html>
"""
