"""The handbook as a site: it builds without a warning, loads nothing from elsewhere, and each link leads somewhere."""

from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests import browser
from tests.handbook import DOCS, ROOT

LARGEST_PICTURE_BYTES = 150_000
# What a browser loads by itself, as opposed to what a reader may click.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
REACHED_BY_READERS_ONLY = {"canonical", "next", "prev", "edit"}


class Page(HTMLParser):
    """What a page loads, where it leads, and which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.anchors = path, set[str]()
        self.loaded, self.links = list[str](), list[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads or leads to."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in LOADED and LOADED[tag] in given and given.get("rel", "") not in REACHED_BY_READERS_ONLY:
            self.loaded.append(given[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Every page of the site, built as `make docs` builds it; 404.html is for web servers and stays out."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return {path: Page(path) for path in sorted(folder.rglob("*.html")) if path.name != "404.html"}


def test_every_page_of_the_handbook_is_in_the_site_and_nothing_is_loaded_from_another_host(
    site: dict[Path, Page],
) -> None:
    assert len(site) == len(list(DOCS.rglob("*.md")))
    for page in site.values():
        for address in page.loaded:
            assert not urlsplit(address).netloc, f"{page.path.name} loads {address}"
            assert address.startswith("data:") or (page.path.parent / unquote(urlsplit(address).path)).exists(), address
    styles = [path.read_text(encoding="utf-8") for path in next(iter(site)).parent.rglob("*.css")]
    assert styles
    assert not [style for style in styles if "url(http" in style or "url(//" in style or "@import" in style]


@pytest.mark.skipif(not browser.CHROMIUM, reason=browser.WITHOUT)
def test_the_search_works_from_the_files_themselves_and_asks_no_host(site: dict[Path, Page], tmp_path: Path) -> None:
    home = next(path for path in site if path.name == "index.html")

    page, console = browser.searched(f"{home.as_uri()}?q=watermark", tmp_path / "browser")

    results = page.partition('class="md-search-result__list"')[2].partition("</ol>")[0]
    assert "glossary.html" in results
    assert "health.html" in results
    assert console == []


def test_every_link_inside_the_site_leads_to_a_page_and_a_heading_that_exist(site: dict[Path, Page]) -> None:
    dead = defaultdict(list)
    for page in site.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            target = target / "index.html" if target.is_dir() else target
            known = site.get(target)
            if not target.exists() or (parts.fragment and known and unquote(parts.fragment) not in known.anchors):
                dead[page.path.name].append(link)
    assert not dead


def test_pictures_are_small_and_each_is_used() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    for picture in (DOCS / "pictures").glob("*.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES, f"{picture.name} is too large; see sandbox/pictures.py"
        assert f"pictures/{picture.name})" in text, f"no page shows {picture.name}"
