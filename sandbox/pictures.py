"""The pictures of the handbook, taken of the real Prefect UI and reports: `make pictures`.

Starts `make up` for itself, runs the views that pictures show, and lets Chromium (CHROMIUM, or `chromium` on the
path) photograph each page into `docs/pictures`. Nothing but the two stand-ins' invented customers is in them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.processes import Child, Children, DemoError, interrupt_on_signals

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
READY_SECONDS = 900.0
RUN_SECONDS = 300.0
LARGEST_BYTES = 150_000
PATIENCE_MS = 20_000
SIZE = (1180, 760)
ORDER, SKU = "000000020", "MS-5001"
LONDON = ZoneInfo("Europe/London")


def main() -> int:
    """Take all pictures anew; return the exit code."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        print("There is no Chromium on the path; name one in CHROMIUM.", file=sys.stderr)
        return 2
    interrupt_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="pictures-") as folder, Children(Path(folder), ROOT) as children:
            up = children.start("up", [sys.executable, "-m", "sandbox.demo", "up"], os.environ)
            up.wait_until(lambda: "schedules are active" in up.output(), READY_SECONDS)
            for name, address in pages(up, children).items():
                photograph(browser, address, FOLDER / f"{name}.png")
    except DemoError as error:
        print(f"No pictures: {error}", file=sys.stderr)
        return 1
    return 0


def pages(up: Child, children: Children) -> dict[str, str]:
    """Return the address of each page by the name of its picture, after the views were run."""
    ui = _said(up, r"Prefect UI: (\S+)")
    report = _said(up, r"Report for finance: (\S+)")
    desk = Path(_said(up, r"Exceptions desk: (\S+)")).resolve()
    os.environ["PREFECT_API_URL"] = f"{ui}/api"
    # Prefect reads its settings as it is imported, so only here.
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    from sandbox import embedded

    with embedded.open_client() as client:
        deployments = {found.name: found for found in client.read_deployments()}
        views = {
            "order": {"order_number": ORDER},
            "stock": {"sku": SKU},
            "daily-report": {"business_date": datetime.now(LONDON).date().isoformat()},
        }
        for name, parameters in views.items():
            run = client.create_flow_run_from_deployment(deployments[name].id, parameters=parameters)
            _wait(lambda run_id=run.id: client.read_flow_run(run_id).state, children)  # type: ignore[misc]

        def artifact(key: str) -> str:
            found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
            if not found:
                raise DemoError(f"no run made the artifact {key}")
            return f"{ui}/artifacts/artifact/{found[-1].id}"

        return {
            "runs": f"{ui}/runs",
            "deployments": f"{ui}/deployments",
            "form": f"{ui}/deployments/deployment/{deployments['release'].id}/run",
            "order": artifact(f"order-{ORDER}"),
            "stock": artifact(f"stock-{SKU.lower()}"),
            "report": Path(report).resolve().as_uri(),
            "desk": desk.as_uri(),
            "daily-report": (desk.parents[1] / "reports" / "daily-report.html").as_uri(),
        }


def photograph(browser: str, address: str, picture: Path) -> None:
    """Write one page as a PNG; raises DemoError when there is none, or it is too large for a handbook."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--virtual-time-budget={PATIENCE_MS}",
            f"--screenshot={picture}",
            address,
        ],
        check=True,
        timeout=RUN_SECONDS,
        capture_output=True,
    )
    size = picture.stat().st_size
    if size > LARGEST_BYTES:
        raise DemoError(f"{picture} has {size} bytes, at most {LARGEST_BYTES} are meant")
    print(f"{picture.relative_to(ROOT)}: {size} bytes")


def _said(child: Child, pattern: str) -> str:
    found = re.search(pattern, child.output())
    if found is None:
        raise DemoError(f"{child.name} did not print {pattern}")
    return found[1]


def _wait(state: Callable[[], object], children: Children) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while not getattr(state(), "is_completed", lambda: False)():
        if time.monotonic() > deadline:
            raise DemoError(f"a view was not done after {RUN_SECONDS:.0f} s")
        children.require_running()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
