"""What the settings say about the exceptions desk."""

from pydantic import Field

from tasks.settings.section import Section


class DeskSettings(Section):
    """`[desk]`: the page of open exceptions that every run leaves behind."""

    folder: str = Field(default="var/desk", description="receives exceptions.html; empty = no page is written")
    timelines: int = Field(
        default=50, ge=0, le=1000, description="how many orders the page shows the way of, the most valuable first"
    )
    rows: int = Field(default=1000, ge=1, le=10_000, description="the most valuable exceptions that the page lists")
    handbook_url: str = Field(
        default="", description="where the handbook's page of codes is served, to link each code; empty = no link"
    )
