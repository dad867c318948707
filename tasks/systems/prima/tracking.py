"""Tracking numbers out of an answer, where `[prima.tracking]` points to."""

from collections.abc import Iterator

from lxml import etree

from schemas.documents import Parcel
from tasks.settings import PrimaTrackingSettings

_Path = tuple[etree._Element, ...]


def tracking_numbers(result: etree._Element, settings: PrimaTrackingSettings) -> tuple[Parcel, ...]:
    """Return the numbers that the answer holds, each once, in its order; empty when nothing is pointed to.

    The carrier of a number is the one on the same element or on an element around it, so that two parcels of two
    carriers are not mixed up.
    """
    if not settings.number:
        return ()
    found: dict[Parcel, None] = {}
    for path, number in _attributes(result, settings.number):
        beside = [_beside(result, path, pointer) for pointer in (settings.carrier, settings.service)]
        found.setdefault(Parcel(number, *beside))
    return tuple(found)


def _beside(result: etree._Element, path: _Path, pointer: str) -> str:
    """Return the attribute that a pointer finds on an element of this path; empty when there is none."""
    if not pointer:
        return ""
    return next((value for other, value in _attributes(result, pointer) if other == path[: len(other)]), "")


def _attributes(result: etree._Element, pointer: str) -> Iterator[tuple[_Path, str]]:
    """Yield the filled attributes that a pointer finds, with the elements from below the root down to theirs."""
    *names, last = pointer.split("/")
    paths: list[_Path] = [()]
    for name in names:
        paths = [
            (*path, child)
            for path in paths
            for child in (path[-1] if path else result)
            if etree.QName(child).localname.casefold() == name.casefold()
        ]
    wanted = last.removeprefix("@").casefold()
    for path in paths:
        element = path[-1] if path else result
        for attribute, value in element.attrib.items():
            if str(attribute).casefold() == wanted and str(value).strip():
                yield path, str(value).strip()
