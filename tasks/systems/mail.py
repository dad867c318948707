"""Mail by SMTP: one message to a few people, and what became of it."""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import TypedDict

from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    IntegrationError,
    OutcomeUnknownError,
    SystemUnavailableError,
)
from tasks.settings.alerts import MailSettings

OPERATION = "send mail"


class _Where(TypedDict):
    system: str
    operation: str
    reference: str


def send_mail(
    name: str,
    server: MailSettings,
    to: Sequence[str],
    subject: str,
    text: str,
    *,
    password: str,
    key: str,
    timeout_seconds: float,
) -> int:
    """Hand one message in for all of these people; return to how many of them the server refuses to take it.

    `key` makes its Message-ID, so that one that comes twice can be told. `name` stands for the people in messages.
    Raises SystemUnavailableError when it was not taken and may be tried again (no connection, 4xx), OutcomeUnknownError
    when it may have been taken, CallRefusedError when the server said no.
    """
    message = _message(server, to, subject, text, key)
    where: _Where = {"system": f"alert channel {name}", "operation": OPERATION, "reference": key}
    try:
        client = _connected(server, timeout_seconds)
    except (OSError, smtplib.SMTPException) as error:
        raise _before(error, where) from error
    handed = False
    try:
        client.ehlo_or_helo_if_needed()
        if server.user:
            client.login(server.user, password)
        handed = True
        refused = client.send_message(message, server.sender, list(to))
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code, where) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise _answered(max(code for code, _ in error.recipients.values()), where) from error
    except (OSError, smtplib.SMTPException) as error:
        if handed:
            raise OutcomeUnknownError(f"the mail server did not answer ({type(error).__name__}).", **where) from error
        raise _before(error, where) from error
    finally:
        _leave(client)
    return len(refused)


def _domain(server: MailSettings) -> str:
    return server.sender.rpartition("@")[2]


def _message(server: MailSettings, to: Sequence[str], subject: str, text: str, key: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = server.sender
    message["To"] = ", ".join(to)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{key}@{_domain(server)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _connected(server: MailSettings, seconds: float) -> smtplib.SMTP:
    domain = _domain(server)
    if server.security == "tls":
        trusted = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, local_hostname=domain, timeout=seconds, context=trusted)
    client = smtplib.SMTP(server.host, server.port, local_hostname=domain, timeout=seconds)
    if server.security == "starttls":
        try:
            client.starttls(context=ssl.create_default_context())
        except BaseException:
            client.close()
            raise
    return client


def _before(error: Exception, where: _Where) -> IntegrationError:
    """Return what a failure before the message left means. What a server or TLS says of it may name people."""
    if isinstance(error, ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError):
        return ConfigurationError(
            f"the mail server cannot be trusted, or lacks what is needed ({type(error).__name__}).",
            system=where["system"],
            operation=where["operation"],
            next_step="See alerts.mail: host, port, security and user.",
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return _answered(error.smtp_code, where)
    return SystemUnavailableError(f"the mail server cannot be reached ({type(error).__name__}).", **where)


def _answered(code: int, where: _Where) -> IntegrationError:
    if 400 <= code < 500:
        return SystemUnavailableError(f"the mail server answered {code}.", **where)
    return CallRefusedError(f"the mail server answered {code}.", **where)


def _leave(client: smtplib.SMTP) -> None:
    """End politely; the server has the message or has refused it, whatever it says now."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()
