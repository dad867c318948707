"""A page in a real browser: what stands in it once its scripts have run, and what they complained about."""

import html
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
WITHOUT = "no Chromium on this machine: the page's filters were not tried in a browser"
LONGEST_SECONDS, CALM_MS = 180, 20_000
CONSOLE = r"CONSOLE:\d+\] (.*)"
# A window of Chromium has at least 500 pixels, a frame in it as few as wanted. The framed page tells what it became.
_TELL = """<script>
{act}
const beside = [...document.querySelectorAll("body *")].filter((each) => getComputedStyle(each).overflowX === "auto")
  .map((each) => each.scrollWidth - each.clientWidth);
parent.postMessage([innerWidth, document.documentElement.scrollWidth, Math.max(0, ...beside), {dom}], "*");
</script>"""
_FRAME = """<!doctype html><iframe style="border:0;width:{width}px;height:900px" src="{source}"></iframe><pre></pre>
<script>addEventListener("message", function (told) {{
  document.querySelector("pre").textContent = told.data.join("\\n");
}})</script>"""


@dataclass(frozen=True)
class Opened:
    """The page after its scripts, its width and that of its window, and each line of the browser's console.

    `out_of_sight` is how many pixels of the widest part can only be seen by scrolling that part sideways.
    """

    dom: str
    window_width: int
    page_width: int
    out_of_sight: int
    console: list[str]

    @property
    def dead_links(self) -> set[str]:
        """The places of the page that a link of it leads to, and that are not there."""
        return set(re.findall(r'href="#([^"]*)"', self.dom)) - set(re.findall(r'id="([^"]*)"', self.dom))


def searched(address: str, folder: Path) -> tuple[str, list[str]]:
    """Open an address without any network; return the page once its scripts are done, and the browser's console."""
    run = _run(folder, f"--virtual-time-budget={CALM_MS}", "--dump-dom", address)
    return run.stdout, re.findall(CONSOLE, run.stderr)


def _run(profile: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}",
            "--window-size=1400,1000",
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=True,
    )


def opened(page: Path, query: str, folder: Path, *, width: int, act: str = "") -> Opened:
    """Open a file in headless Chromium, in a frame of this width and without any network; `folder` takes copies.

    `act` is what a person does on the page once it is there, as a script.
    """
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    told = _TELL.format(act=act, dom="document.documentElement.outerHTML")
    (folder / page.name).write_text(text.replace("</body>", f"{told}</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(_FRAME.format(width=width, source=f"{page.name}{query}"), encoding="utf-8")
    run = _run(folder / "profile", "--virtual-time-budget=5000", "--dump-dom", frame.resolve().as_uri())
    inside = html.unescape(run.stdout.partition("<pre>")[2].rpartition("</pre>")[0])
    window_width, page_width, out_of_sight, dom = inside.split("\n", 3)
    return Opened(dom, int(window_width), int(page_width), int(out_of_sight), re.findall(CONSOLE, run.stderr))
