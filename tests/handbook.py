"""What the handbook tells people to type and to click, as data: commands in fenced blocks and in the text, and forms.

A block belongs to a case when the line before it is a comment such as `<!-- case: sku-wrong-case -->`. Words in
capitals in a command (`HOLD`, `BREAK`) stand for what an earlier command printed, as the page says beside it.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SHELLS = ("sh", "bash", "console")
FENCE = re.compile(r"^\s*```(\w*)\s*$")
CASE = re.compile(r"^\s*<!-- (case|backup|restore|rehearsal): ([a-z-]+|a day) -->\s*$")
FORM = re.compile(r"^> \*\*Form\*\* `([\w-]+)`: (.*)$", re.MULTILINE)
FIELD = re.compile(r"`(\w+)` = `([^`]+)`")
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of commands: its page and line, the case that it belongs to, and its lines without comments."""

    page: Path
    line: int
    case: str
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page fills it in: the deployment, and the text of each field."""

    page: Path
    deployment: str
    fields: Mapping[str, str]


def pages() -> list[Path]:
    """Return README and every page of the handbook."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks() -> list[Block]:
    """Return every fenced block of shell commands, in README and handbook."""
    return [block for page in pages() for block in _blocks(page)]


def case(name: str) -> list[list[str]]:
    """Return the commands of a case as words, in their order; raises LookupError where no page has it."""
    found = [block for block in blocks() if block.case == name]
    if len(found) != 1:
        raise LookupError(f"the case {name} stands on {len(found)} pages")
    return [shlex.split(command) for command in found[0].commands]


def outside_of_cases() -> list[list[str]]:
    """Return the commands of this product in blocks that are no case, each once, as words."""
    found = [shlex.split(line, comments=True) for block in blocks() if not block.case for line in block.commands]
    ours = [("magento-prima", *words[1:]) for words in found if words[0].endswith("magento-prima")]
    return [list(words) for words in dict.fromkeys(ours)]


def inline(page: Path) -> list[str]:
    """Return what stands between backticks in the running text of a page."""
    return INLINE.findall(_without_fences(page.read_text(encoding="utf-8")))


def inline_commands(program: str) -> Iterator[tuple[Path, list[str]]]:
    """Yield the page and the words of each command of a program that stands in running text."""
    for page in pages():
        for text in inline(page):
            words = text.split()
            if words and words[0] == program:
                yield page, shlex.split(" ".join(words))


def forms() -> list[Form]:
    """Return every form that a page fills in."""
    return [
        Form(page, name, dict(FIELD.findall(fields)))
        for page in pages()
        for name, fields in FORM.findall(page.read_text(encoding="utf-8"))
    ]


def _blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    inside, started, case_of, commands = "", 0, "", list[str]()
    for number, line in enumerate(lines, start=1):
        fence = FENCE.match(line)
        if fence and not inside:
            before = CASE.match(lines[number - 2]) if number > 1 else None
            inside, started, commands = fence[1] or "text", number, []
            case_of = before[2] if before else ""
        elif fence:
            if inside in SHELLS:
                yield Block(page, started, case_of, tuple(commands))
            inside = ""
        elif inside and line.strip() and not line.strip().startswith("#"):
            commands.append(line.strip())


def _without_fences(text: str) -> str:
    return re.sub(r"(?ms)^\s*```.*?^\s*```\s*$", "", text)
