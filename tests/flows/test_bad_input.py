"""What goes wrong before or during a run is one message that says what, where and what to do; nothing is half-written.

Everything goes through the command line in a process of its own.
"""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from prefect.settings import PREFECT_API_URL

from tests.installation import Installation
from tests.recorded import sample_order

ORDER = "000000020"
PRIMA_NUMBER = "30000020"
FAILED, MISUSED = 1, 2
NOBODY = "http://127.0.0.1:9"
HIDDEN = "hunter2-very-secret"
LOG_LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} \| ")


@pytest.fixture
def installed(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation with one order that waits for PRIMA; Magento is asked once, not four times."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    installation.holds(sample_order(ORDER))
    return installation


@contextmanager
def web_page(status: int, kind: str = "text/html") -> Iterator[str]:
    """Serve a web page at every address; yields the address of the server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><html><body><h1>Welcome to the guest network</h1></body></html>"
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def message(run: CompletedProcess[str], code: int) -> list[str]:
    """Return the lines of the one message of a run that failed with this exit code; the log is left out."""
    assert run.returncode == code, run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    lines = [line for line in run.stderr.splitlines() if line.strip() and not LOG_LINE.match(line)]
    assert lines, "no message"
    return lines


def the_line(run: CompletedProcess[str], code: int) -> str:
    """Return the message of a failed run, which is one line."""
    (line,) = message(run, code)
    return line


def point(installation: Installation, table: str, url: str) -> None:
    """Replace the `url` of one table of the settings."""
    path = installation.folder / "config.toml"
    text, count = re.subn(rf"(?m)^\[{table}\]\nurl = .*$", f'[{table}]\nurl = "{url}"', path.read_text())
    assert count == 1
    path.write_text(text)


def assert_nothing_written(installation: Installation) -> None:
    """No order in PRIMA, no write in Magento, and in the ledger no order, no posting and no watermark."""
    assert installation.prima.order_numbers() == []
    assert [call for call in installation.magento.calls() if call["method"] != "GET"] == []
    ledger = installation.folder / "ledger.db"
    if ledger.exists():
        with sqlite3.connect(ledger) as connection:
            for table in ("orders", "postings", "watermarks"):
                assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table
        connection.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MAGENTO_ACCESS_TOKEN", "Check the four MAGENTO_ keys against System > Extensions > Integrations"),
        ("MAGENTO_CONSUMER_SECRET", "Check MAGENTO_CONSUMER_SECRET and MAGENTO_ACCESS_TOKEN_SECRET"),
    ],
)
def test_a_wrong_key_names_the_keys_to_check(installed: Installation, name: str, said: str) -> None:
    line = the_line(installed.command("run", "orders", environment={name: HIDDEN}), MISUSED)

    assert line.startswith("Magento, GET /V1/store/storeViews: ")
    assert "401" in line
    assert said in line
    assert HIDDEN not in line
    assert_nothing_written(installed)


def test_missing_keys_are_named_together(installed: Installation) -> None:
    run = installed.command("run", "orders", environment=dict.fromkeys(installed.magento.secrets, ""), is_fresh=True)

    line = the_line(run, MISUSED)
    for name in installed.magento.secrets:
        assert name in line
        assert name.lower().replace("_", "-") in line
    assert_nothing_written(installed)


def test_a_shop_where_nobody_listens(installed: Installation) -> None:
    installed.configure(base_url=f'"{NOBODY}"')

    line = the_line(installed.command("run", "orders"), FAILED)

    assert line.startswith("Magento, GET /V1/store/storeViews: no connection")
    assert "magento.base_url" in line
    assert_nothing_written(installed)


@pytest.mark.parametrize(("status", "kind"), [(404, "text/html"), (404, "text/plain"), (200, "text/html")])
def test_a_shop_address_that_leads_to_a_web_page(installed: Installation, status: int, kind: str) -> None:
    with web_page(status, kind) as address:
        installed.configure(base_url=f'"{address}"')
        line = the_line(installed.command("run", "orders"), MISUSED)

    assert line.startswith("Magento, GET /V1/store/storeViews: ")
    assert "magento.base_url" in line
    assert "<" not in line
    assert_nothing_written(installed)


def test_five_mistakes_in_the_settings_are_named_together(installed: Installation) -> None:
    installed.configure(
        base_url='"shop.example"',
        price_meaning='"gross"',
        number_prefix='"AB"',
        concurrency="99\nsurprise = 1",
        delivery_product='{ product = "" }',
    )

    head, *problems = message(installed.command("run", "orders"), MISUSED)

    assert head.startswith("settings: 6 problem(s)")
    assert len(problems) == 6
    for key in (
        "magento.base_url",
        "prima.orders.price_meaning",
        "prima.orders.number_prefix",
        "prima.concurrency",
        "prima.surprise",
        "prima.orders.delivery_product.product",
    ):
        assert any(f"{installed.folder / 'config.toml'}: {key}: " in problem for problem in problems), key
    assert_nothing_written(installed)


def test_settings_that_are_not_there(installed: Installation) -> None:
    nowhere = installed.folder / "nowhere.toml"

    line = the_line(installed.command("run", "orders", environment={"MAGENTO_PRIMA_CONFIG": str(nowhere)}), MISUSED)

    assert f"{nowhere} does not exist" in line
    assert_nothing_written(installed)


def test_settings_that_are_not_named(installed: Installation) -> None:
    line = the_line(installed.command("run", "orders", environment={"MAGENTO_PRIMA_CONFIG": ""}), MISUSED)

    assert "MAGENTO_PRIMA_CONFIG is not set" in line
    assert_nothing_written(installed)


def test_a_prima_address_without_wsdl(installed: Installation) -> None:
    installed.configure(wsdl_url=f'"{installed.prima.url}/nowhere/wsdl"')

    line = the_line(installed.command("run", "orders"), FAILED)

    assert line.startswith("PRIMA, wsdl: ")
    assert "404" in line
    assert "prima.wsdl_url" in line
    assert_nothing_written(installed)


def test_a_prima_where_nobody_listens(installed: Installation) -> None:
    installed.configure(wsdl_url=f'"{NOBODY}/wsalive/wsalive/wsdl"')

    line = the_line(installed.command("run", "orders"), FAILED)

    assert line.startswith("PRIMA, wsdl: no connection")
    assert "prima.wsdl_url" in line
    assert_nothing_written(installed)


def test_a_prima_address_that_leads_to_a_web_page(installed: Installation) -> None:
    with web_page(200) as address:
        installed.configure(wsdl_url=f'"{address}/wsdl"')
        line = the_line(installed.command("run", "orders"), MISUSED)

    assert line.startswith("PRIMA, wsdl: ")
    assert "WSDL" in line
    assert "prima.wsdl_url" in line
    assert_nothing_written(installed)


def test_a_shop_in_maintenance(installed: Installation) -> None:
    installed.magento.maintenance = True
    installed.configure(read_attempts="2")

    line = the_line(installed.command("run", "orders"), FAILED)

    assert line.startswith("Magento, GET /V1/store/storeViews: maintenance")
    assert "try again later" in line
    assert_nothing_written(installed)


def test_what_the_settings_must_put_right_is_said_before_what_only_takes_time(installed: Installation) -> None:
    installed.magento.maintenance = True
    point(installed, "prima.reporting", f"sqlite:///{installed.folder / 'nowhere.db'}")

    line = the_line(installed.command("run", "orders"), MISUSED)

    assert line.startswith("PRIMA reporting: ")
    assert "nowhere.db does not exist" in line
    assert_nothing_written(installed)


@pytest.mark.parametrize("table", ["prima.reporting", "ledger"])
def test_a_password_in_a_database_address_is_never_shown(installed: Installation, table: str) -> None:
    point(installed, table, f"postgresql+psycopg://shop:{HIDDEN}@127.0.0.1:9/erp?connect_timeout=2")

    run = installed.command("run", "orders")

    line = the_line(run, FAILED)
    assert table.removeprefix("prima.") in line
    assert HIDDEN not in run.stderr


def test_a_ledger_of_a_newer_version(installed: Installation) -> None:
    assert installed.command("exceptions", "list").returncode == 0
    with sqlite3.connect(installed.folder / "ledger.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()

    line = the_line(installed.command("run", "orders"), MISUSED)

    assert line.startswith("ledger: ")
    assert "9999" in line
    assert "newer version" in line
    assert_nothing_written(installed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "everything"), "No such command 'everything'"),
        (("run", "orders", "--fast"), "No such option: --fast"),
        (("run", "reconciliation", "--date", "yesterday"), "'yesterday' does not match"),
        (("order",), "Missing argument"),
        (("exceptions", "list", "--state", "forgotten"), "--state must be open, closed or all"),
        (("exceptions", "list", "--code", "SKU_LOST"), "SKU_LOST is not known"),
        (("exceptions", "list", "--owner", "nobody"), "nobody is no team"),
    ],
)
def test_wrong_usage_says_what_is_wrong_with_the_words(
    installed: Installation, words: tuple[str, ...], said: str
) -> None:
    lines = message(installed.command(*words), MISUSED)

    assert said in re.sub(r"[│\s]+", " ", " ".join(lines))


def test_maintenance_that_begins_in_the_middle_of_a_run(installed: Installation) -> None:
    installed.magento.faults.add("GET /V1/orders", "status", times=None, status=503)

    line = the_line(installed.command("run", "orders"), FAILED)

    assert line.startswith("Magento, GET /V1/orders, ")
    assert "503" in line
    assert "try again later" in line
    assert_nothing_written(installed)

    installed.magento.faults.clear()
    assert installed.command("run", "orders").returncode == 0
    assert installed.prima.order_numbers() == [PRIMA_NUMBER]


def test_maintenance_that_begins_when_prima_already_has_the_order(installed: Installation) -> None:
    installed.magento.faults.add("POST /V1/orders", "status", times=None, status=503)

    run = installed.command("run", "orders")

    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert installed.prima.order_numbers() == [PRIMA_NUMBER]
    assert installed.magento.order(ORDER)["ext_order_id"] != PRIMA_NUMBER

    installed.magento.faults.clear()
    assert installed.command("run", "orders").returncode == 0
    assert installed.prima.order_numbers() == [PRIMA_NUMBER]
    assert installed.magento.order(ORDER)["ext_order_id"] == PRIMA_NUMBER
