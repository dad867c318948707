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
# Wide enough for the longest code and its currency; a phone shows it at this size, a screen somewhat larger.
_WIDTH_INCHES, _BAR_INCHES, _FRAME_INCHES = 4.8, 0.5, 0.12
# Causes that have a bar of their own; the others share one.
_CAUSES_SHOWN = 9
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
    currencies = sorted({currency for _, currency in sums})
    bars = []
    for currency in currencies:
        of_currency = [(cause, values) for (cause, each), values in sums.items() if each == currency]
        of_currency.sort(key=lambda item: (item[0] not in WITHOUT_EXPLANATION, -sum(item[1]), item[0]))
        suffix = "" if len(currencies) == 1 else f", {currency}"
        bars += [
            _bar(_words(cause) + suffix, values, currency, cause in WITHOUT_EXPLANATION)
            for cause, values in of_currency[:_CAUSES_SHOWN]
        ]
        others = of_currency[_CAUSES_SHOWN:]
        if others:
            values = [value for _, each in others for value in each]
            bars.append(_bar(f"{len(others)} more causes{suffix}", values, currency, is_unexplained=False))
    bars.sort(key=lambda bar: not bar.is_unexplained)
    return _svg(bars, "causes", "Open breaks by cause: number and value")


def _bar(name: str, values: Sequence[int], currency: str, is_unexplained: bool) -> Bar:
    return Bar(name, f"{len(values)} · {show(sum(values), currency)}", sum(values), is_unexplained)


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
            if row is None and len(currencies) > 1:
                continue
            bars.append(Bar(name, f"{count} · {show(pence, currency)}" if count else "none", pence))
    return _svg(bars, "ageing", "Open breaks by age: number and value")


def _words(cause: str) -> str:
    """Return a code as words; VAT and names keep their capitals."""
    words = cause.replace("_", " ").capitalize().replace("Vat ", "VAT ").replace(" vat", " VAT")
    return words.replace("magento", "Magento").replace("prima", "PRIMA")


def _svg(bars: Sequence[Bar], name: str, title: str) -> str:
    if not bars:
        return ""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):  # type: ignore[dict-item]
        figure = Figure(figsize=(_WIDTH_INCHES, _FRAME_INCHES + _BAR_INCHES * len(bars)))
        axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
        longest = max(max(bar.pence for bar in bars), 1)
        for position, bar in enumerate(bars):
            colour = _UNKNOWN if bar.is_unexplained else _KNOWN
            axes.barh(position, bar.pence, height=0.42, color=colour, clip_on=False)
            axes.text(0, position - 0.25, bar.name, color=_INK, ha="left", va="bottom", clip_on=False)
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
        axes.set_ylim(len(bars) - 0.72, -0.8)
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
