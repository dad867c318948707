"""A page in a real browser: what stands in it once its scripts have run, and what they complained about."""

import html
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
WITHOUT = "no Chromium on this machine: the page's filters were not tried in a browser"
LONGEST_SECONDS = 180
# A window of Chromium has at least 500 pixels, a frame in it as few as wanted. The framed page tells what it became.
_TELL = "<script>parent.postMessage([innerWidth, document.documentElement.scrollWidth, {dom}], '*')</script>"
_FRAME = """<!doctype html><iframe style="border:0;width:{width}px;height:900px" src="{source}"></iframe><pre></pre>
<script>addEventListener("message", function (told) {{
  document.querySelector("pre").textContent = told.data.join("\\n");
}})</script>"""


@dataclass(frozen=True)
class Opened:
    """The page after its scripts, its width and that of its window, and each line of the browser's console."""

    dom: str
    window_width: int
    page_width: int
    console: list[str]


def opened(page: Path, query: str, folder: Path, *, width: int) -> Opened:
    """Open a file in headless Chromium, in a frame of this width and without any network; `folder` takes copies."""
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    told = _TELL.format(dom="document.documentElement.outerHTML")
    (folder / page.name).write_text(text.replace("</body>", f"{told}</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(_FRAME.format(width=width, source=f"{page.name}{query}"), encoding="utf-8")
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"]
    run = subprocess.run(
        [
            CHROMIUM,
            *words,
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            "--window-size=1400,1000",
            "--virtual-time-budget=5000",
            "--dump-dom",
            frame.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=True,
    )
    inside = html.unescape(run.stdout.partition("<pre>")[2].rpartition("</pre>")[0])
    window_width, page_width, dom = inside.split("\n", 2)
    return Opened(dom, int(window_width), int(page_width), re.findall(r"CONSOLE:\d+\] (.*)", run.stderr))
