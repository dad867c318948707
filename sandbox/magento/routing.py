"""How a path finds its route."""

from dataclasses import dataclass

from sandbox.magento.errors import no_route
from sandbox.magento.shop import Handler


@dataclass(frozen=True)
class Route:
    """One route: its path in segments, a segment that starts with `:` being a placeholder."""

    method: str
    segments: tuple[str, ...]
    resource: str
    handler: Handler

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """Return the placeholders' values when verb and path fit, else None."""
        if method != self.method or len(segments) != len(self.segments):
            return None
        place = {}
        for wanted, given in zip(self.segments, segments, strict=True):
            if wanted.startswith(":"):
                place[wanted[1:]] = given
            elif wanted != given:
                return None
        return place


def find_route(routes: list[Route], method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
    """Return the route for a verb and decoded path segments; Refusal 404 when there is none."""
    for route in routes:
        place = route.match(method, segments)
        if place is not None:
            return route, place
    raise no_route()
