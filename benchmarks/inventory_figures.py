"""The figures of `bench_inventory.py`, and how they are shown; the last lines are the tables of docs/scaling.md."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STEPS = 13  # of a cycle in which nothing changed
TARGET_UNCHANGED, TARGET_PUSH = 2.0, 1.1


@dataclass(frozen=True)
class Cycle:
    """What cycles took: seconds of the middle one, of it reading back and writing; its CPU seconds; peak in MB."""

    whole: float
    reading: float
    writing: float
    cpu: float
    memory: float
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Bare:
    """What a bare program took: seconds for answer and parse, of it parsing; CPU seconds; peak in MB; rows."""

    whole: float
    parsing: float
    cpu: float
    memory: float
    rows: int


@dataclass(frozen=True)
class Measured:
    """Everything that was measured with so many SKUs; `engine` is Prefect alone, in seconds and CPU seconds."""

    skus: int
    bare: Bare
    engine: tuple[float, float]
    unchanged: Cycle
    worked_out: Cycle
    one: Cycle
    pushed: Cycle
    loop: float

    @property
    def lean(self) -> float:
        """Seconds of the unchanged cycle without what a bare parse has no part in: Prefect and reading back."""
        return self.unchanged.whole - self.engine[0] - self.unchanged.reading


def show(found: Measured, load: float) -> None:
    """Print what was measured with one number of SKUs."""
    bare, cycle = found.bare, found.unchanged
    print(
        f"\n{found.skus} SKUs; load before {load:.1f}, after {os.getloadavg()[0]:.1f}\n"
        f"  bare: answer and parse {bare.whole:.2f} s, of it parse {bare.parsing:.2f} s "
        f"(CPU {bare.cpu:.2f} s, peak {bare.memory:.0f} MB)\n"
        f"  Prefect alone, {STEPS} empty steps: {found.engine[0]:.2f} s (CPU {found.engine[1]:.2f} s)\n"
        f"  unchanged, 0 writes: {cycle.whole:.2f} s, of it {cycle.reading:.2f} s reading back "
        f"(CPU {cycle.cpu:.2f} s, peak {cycle.memory:.0f} MB)\n"
        f"    ratio {cycle.whole / bare.whole:.2f} to answer and parse (target {TARGET_UNCHANGED}), by CPU "
        f"{cycle.cpu / bare.cpu:.2f}, to parse {(cycle.whole - bare.whole + bare.parsing) / bare.parsing:.2f}\n"
        f"    without Prefect and reading back {found.lean / bare.whole:.2f}, by CPU without Prefect "
        f"{(cycle.cpu - found.engine[1]) / bare.cpu:.2f}, to parse "
        f"{(found.lean - bare.whole + bare.parsing) / bare.parsing:.2f}"
    )
    for name, each in (("worked out all the same", found.worked_out), ("one SKU changed", found.one)):
        print(
            f"  {name}: {each.whole:.2f} s, of it {each.reading:.2f} s reading back, {each.writing:.2f} s writing "
            f"(CPU {each.cpu:.2f} s, peak {each.memory:.0f} MB)"
        )
    pushed = found.pushed
    print(
        f"  all changed: writing {pushed.writing:.2f} s, cycle {pushed.whole:.2f} s, of it {pushed.reading:.2f} s "
        f"reading back (CPU {pushed.cpu:.2f} s, peak {pushed.memory:.0f} MB); bare loop {found.loop:.2f} s\n"
        f"    ratio of writing {pushed.writing / found.loop:.2f} (target {TARGET_PUSH}), of the cycle "
        f"{pushed.whole / found.loop:.2f}",
        flush=True,
    )


def show_growth(few: Measured, many: Measured) -> None:
    """Print what one SKU more costs, in microseconds."""
    more = (many.skus - few.skus) / 1e6
    seconds = [(end - start) / more for start, end in ((few.bare.whole, many.bare.whole), (few.lean, many.lean))]
    cpu = [
        (end - start) / more for start, end in ((few.bare.cpu, many.bare.cpu), (few.unchanged.cpu, many.unchanged.cpu))
    ]
    print(
        f"\nOne SKU more, from {few.skus} to {many.skus}: bare {seconds[0]:.1f} us (CPU {cpu[0]:.1f}), unchanged cycle "
        f"without Prefect and reading back {seconds[1]:.1f} us (CPU {cpu[1]:.1f}); "
        f"ratio {seconds[1] / seconds[0]:.2f}, by CPU {cpu[1] / cpu[0]:.2f}"
    )


def show_tables(found: Sequence[Measured]) -> None:
    """Print the tables of docs/scaling.md."""
    print("\n| SKUs | Bare answer and parse | Unchanged cycle | Of it Prefect, reading back | Ratio | Without these |")
    print("| --- | --- | --- | --- | --- | --- |")
    for each in found:
        bare, cycle = each.bare, each.unchanged
        print(
            f"| {each.skus:,} | {bare.whole:.2f} s, CPU {bare.cpu:.2f} s, {bare.memory:.0f} MB "
            f"| {cycle.whole:.2f} s, CPU {cycle.cpu:.2f} s, {cycle.memory:.0f} MB "
            f"| {each.engine[0]:.2f} s (CPU {each.engine[1]:.2f} s), {cycle.reading:.2f} s "
            f"| {cycle.whole / bare.whole:.2f}, by CPU {cycle.cpu / bare.cpu:.2f} "
            f"| {each.lean / bare.whole:.2f}, by CPU {(cycle.cpu - each.engine[1]) / bare.cpu:.2f} |"
        )
    print("\n| SKUs | Worked out anew | One SKU changed | All changed: writing | Bare loop | Ratio | Whole cycle |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for each in found:
        worked, one, pushed = each.worked_out, each.one, each.pushed
        print(
            f"| {each.skus:,} | {worked.whole:.1f} s, CPU {worked.cpu:.1f} s, {worked.memory:.0f} MB "
            f"| {one.whole:.1f} s, CPU {one.cpu:.1f} s | {pushed.writing:.1f} s | {each.loop:.1f} s "
            f"| {pushed.writing / each.loop:.2f} | {pushed.whole:.1f} s, CPU {pushed.cpu:.1f} s, "
            f"{pushed.memory:.0f} MB |"
        )
