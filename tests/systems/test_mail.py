"""Mail by SMTP against a server on this machine: taken once, or an error that says what to do next."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    IntegrationError,
    OutcomeUnknownError,
    SystemUnavailableError,
)
from tasks.settings.alerts import MailSettings
from tasks.systems.mail import send_mail
from tests.certificates import certificate
from tests.mail_receiver import MailReceiver, receiving

LIST, OTHER = "operations@shop.example", "finance@shop.example"


@pytest.fixture
def receiver() -> Iterator[MailReceiver]:
    with receiving() as found:
        yield found


def send(port: int, **facts: str) -> int:
    server = MailSettings.model_validate(
        {"host": "localhost", "port": port, "security": "none", "sender": "prima@shop.example", **facts}
    )
    text = "£1,204.50 at risk\nWhat to do: look."
    return send_mail(
        "operations", server, [LIST, OTHER], "2 x SKU_CASE", text, password="secret", key="alert-7", timeout_seconds=20
    )


def test_a_mail_arrives_as_it_was_written_and_can_be_told_when_it_comes_twice(receiver: MailReceiver) -> None:
    assert send(receiver.port) == 0

    (mail,) = receiver.messages
    assert receiver.to == [[LIST, OTHER]]
    assert (mail["Subject"], mail["From"], mail["Message-ID"]) == (
        "2 x SKU_CASE",
        "prima@shop.example",
        "<alert-7@shop.example>",
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == "£1,204.50 at risk\nWhat to do: look.\n"
    assert receiver.logins == []


def test_whoever_can_be_reached_is_told_and_who_cannot_is_counted(receiver: MailReceiver) -> None:
    receiver.answers["RCPT"] = ["550 no such user"]

    assert send(receiver.port) == 1
    assert receiver.to == [[OTHER]]


def test_a_password_travels_only_where_nobody_else_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = certificate(tmp_path, "mail")
    with receiving(signed) as receiver:
        with pytest.raises(ConfigurationError, match="cannot be trusted"):
            send(receiver.port, security="starttls", user="prima")
        assert receiver.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(signed[0]))
        send(receiver.port, security="starttls", user="prima")
        assert (receiver.logins, len(receiver.messages)) == ([("prima", "secret")], 1)
    with pytest.raises(ValueError, match="would travel in the open"):
        send(receiver.port, user="prima")


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ({"RCPT": ["550 no", "550 no"]}, CallRefusedError, "answered 550"),
        ({"RCPT": ["450 busy", "450 busy"]}, SystemUnavailableError, "answered 450"),
        ({"MAIL": ["552 full"]}, CallRefusedError, "answered 552"),
        ({"DATA": ["451 later"]}, SystemUnavailableError, "answered 451"),
        ({"DATA": [""]}, OutcomeUnknownError, "did not answer"),
        ({"EHLO": [""]}, SystemUnavailableError, "cannot be reached"),
    ],
)
def test_a_failure_says_whether_it_may_have_arrived_and_names_nobody(
    receiver: MailReceiver, answers: dict[str, list[str]], error: type[IntegrationError], said: str
) -> None:
    receiver.answers |= answers

    with pytest.raises(error, match=said) as failed:
        send(receiver.port)

    assert "shop.example" not in str(failed.value)


def test_a_server_that_is_not_there_is_told_as_such() -> None:
    with receiving() as gone:
        port = gone.port

    with pytest.raises(SystemUnavailableError, match="alert channel operations, send mail, alert-7: the mail server"):
        send(port)
