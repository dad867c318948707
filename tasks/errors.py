"""The errors of this product, named after what to do next.

Every error carries the system it came from, the operation that was under way and a reference (order number,
SKU, route), so that one line in a log or an exception row says what, where and what to do.
"""


class IntegrationError(Exception):
    """Base of all errors raised on purpose; `str()` is one sentence for a person."""

    def __init__(
        self, message: str, *, system: str = "", operation: str = "", reference: str = "", next_step: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.operation = operation
        self.reference = reference
        self.next_step = next_step

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.system, self.operation, self.reference) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.next_step and text[-1:] not in (".", "!", "?"):
            text += "."
        return f"{text} {self.next_step}".strip()


class SystemUnavailableError(IntegrationError):
    """Nothing happened on the other side (no connection, maintenance, 503): try again later."""


class OutcomeUnknownError(IntegrationError):
    """It may have happened (time-out after sending, broken answer, 500): look before trying again."""


class CallRefusedError(IntegrationError):
    """The system said no and said why: a person decides."""

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        operation: str = "",
        reference: str = "",
        next_step: str = "",
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message, system=system, operation=operation, reference=reference, next_step=next_step)
        self.status = status
        self.code = code


class NotFoundError(CallRefusedError):
    """The system answered positively that the thing does not exist."""


class UnexpectedResponseError(IntegrationError):
    """The system broke its contract (shape, type, missing key): stop this flow and report it."""


class ConfigurationError(IntegrationError):
    """Ours to put right before the first call: settings, mappings, keys, permissions.

    `problems` holds one sentence for each thing that is wrong, so that all of them are reported together.
    """

    def __init__(
        self,
        message: str,
        *,
        problems: list[str] | None = None,
        system: str = "",
        operation: str = "",
        reference: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(message, system=system, operation=operation, reference=reference, next_step=next_step)
        self.problems = problems or [message]
