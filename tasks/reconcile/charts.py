"""The two charts of the report as SVG that stands in the page itself: what causes the breaks, and how old they are.

Lengths of bars are whole pence; every figure that is read is text beside its bar.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from schemas.money import show
from schemas.reconciliation import AGE_BANDS, WITHOUT_EXPLANATION
from tasks.systems.warehouse import Row

_INK, _SOFT, _KNOWN, _UNKNOWN = "#1b1f24", "#57606a", "#4a6fa5", "#a40e26"
# Wide enough for the longest code; a phone shows it at two thirds of its size.
_WIDTH_INCHES, _BAR_INCHES, _FRAME_INCHES = 5.6, 0.42, 0.25
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "reconciliation", "font.family": "sans-serif", "font.size": 11.0}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, the text at its end, its length in pence, and whether nobody knows why."""

    name: str
    text: str
    pence: int
    is_unexplained: bool = False


def causes_chart(breaks: Sequence[Row]) -> str:
    """Return the breaks by cause and currency, unexplained first and then the most valuable; empty for no break."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in breaks:
        sums.setdefault((row["cause"], row["currency"]), []).append(row["value_pence"])
    has_one_currency = len({currency for _, currency in sums}) == 1
    bars = [
        Bar(
            _words(cause) if has_one_currency else f"{_words(cause)}, {currency}",
            f"{len(values)} · {show(sum(values), currency)}",
            sum(values),
            cause in WITHOUT_EXPLANATION,
        )
        for (cause, currency), values in sums.items()
    ]
    bars.sort(key=lambda bar: (not bar.is_unexplained, -bar.pence, bar.name))
    return _svg(bars, "causes", "Open breaks by cause: number and value")


def ageing_chart(ageing: Sequence[Row]) -> str:
    """Return the open breaks by age band, every band of each currency; empty when none is open."""
    currencies = sorted({row["currency"] for row in ageing})
    found = {(row["currency"], row["age_band"]): row for row in ageing}
    bars = []
    for currency in currencies:
        for band in AGE_BANDS:
            row = found.get((currency, band))
            count, pence = (row["break_count"], row["value_pence"]) if row else (0, 0)
            name = f"{band} days" if len(currencies) == 1 else f"{band} days, {currency}"
            bars.append(Bar(name, f"{count} · {show(pence, currency)}" if count else "none", pence))
    return _svg(bars, "ageing", "Open breaks by age: number and value")


def _words(cause: str) -> str:
    """Return a code as words; VAT stays in capitals."""
    return cause.replace("_", " ").capitalize().replace("vat", "VAT").replace("Vat", "VAT")


def _svg(bars: Sequence[Bar], name: str, title: str) -> str:
    if not bars:
        return ""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):  # type: ignore[dict-item]
        figure = Figure(figsize=(_WIDTH_INCHES, _FRAME_INCHES + _BAR_INCHES * 2 * len(bars)))
        axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
        longest = max(max(bar.pence for bar in bars), 1)
        for position, bar in enumerate(bars):
            colour = _UNKNOWN if bar.is_unexplained else _KNOWN
            axes.barh(position, bar.pence, height=0.34, color=colour, clip_on=False)
            axes.text(0, position - 0.3, bar.name, color=_INK, ha="left", va="bottom", clip_on=False)
            is_long = bar.pence > 0.62 * longest
            axes.text(
                bar.pence - 0.01 * longest if is_long else bar.pence + 0.015 * longest,
                position,
                bar.text,
                color="#ffffff" if is_long else _INK,
                ha="right" if is_long else "left",
                va="center",
                fontsize=10,
                clip_on=False,
            )
        axes.set_xlim(0, longest)
        axes.set_ylim(len(bars) - 0.65, -0.85)
        axes.set_axis_off()
        written = io.StringIO()
        FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
            written, metadata={"Date": None, "Creator": None}
        )
    return _inline(written.getvalue(), name, title)


def _inline(svg: str, name: str, title: str) -> str:
    """Return the drawing as an element of a page: no prologue, no outside names, ids of its own, a title to be read."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'\s(width|height)="[\d.]+pt"', "", body, count=2)
    body = re.sub(r'\sid="([^"]+)"', rf' id="{name}-\1"', body).replace('href="#', f'href="#{name}-')
    return body.replace("<svg", f'<svg role="img" aria-label="{title}" class="chart"', 1).strip()
