"""The page that says who looks into what, by when, and who is told next: `docs/ownership.md`, from `schemas/reasons`.

`python -m schemas.ownership_page > docs/ownership.md` writes it anew; a test says when that is due.
"""

from collections.abc import Sequence

from schemas.reasons import REASONS, Owner, Reason

_INTRODUCTION = """\
# Who investigates what

Each exception has one owner. This page is made from the program's own table of reasons, which the forms, the alerts and
the list of exceptions use too (`python -m schemas.ownership_page > docs/ownership.md`).

- **Severity.** `critical`: money or goods may be wrong now. `problem`: an order, a parcel or a figure is stuck.
  `warning`: it went on, and somebody should look. `info`: for the record.
- **Next person after.** Hours after the exception was raised, when the next person of the team's list is told, and the
  one after that. The owner is told at once. A dash: nobody else is told.
- **May decide.** Who may act on it, the owner first. Only finance decides about money.
- **Acts.** What can be done from a form or the command line, besides assigning it, commenting on it and snoozing it,
  which always fit. What to do is on [the page of every code](operations.md).

"""
_TEAM_PAGES: dict[Owner, str] = {
    "operations": "teams/operations.md",
    "finance": "teams/finance.md",
    "ecommerce": "teams/ecommerce.md",
    "customer service": "teams/customer-service.md",
    "integration": "teams/engineer.md",
}
_ALWAYS = ("assign", "comment", "snooze")
_SEVERITIES = ("critical", "problem", "warning", "info")


def page() -> str:
    """Return the whole page as Markdown: a table a team, the most severe first."""
    parts = [_INTRODUCTION.rstrip("\n"), ""]
    for owner, team_page in _TEAM_PAGES.items():
        reasons = sorted(
            (reason for reason in REASONS.values() if reason.owner == owner),
            key=lambda reason: (_SEVERITIES.index(reason.severity), reason.code),
        )
        parts += [
            f"## {owner.capitalize()}",
            "",
            f"What this team looks at, and when, is on [its page]({team_page}).",
            "",
            "| Code | Severity | Next person after | May decide | Acts |",
            "| --- | --- | --- | --- | --- |",
            *(_row(reason) for reason in reasons),
            "",
        ]
    return "\n".join(parts)


def _row(reason: Reason) -> str:
    acts = [act for act in reason.acts if act not in _ALWAYS]
    hours = " / ".join(f"{hours} h" for hours in reason.escalate_hours)
    code = f"[{reason.code}](operations.md#{reason.code.lower()})"
    return f"| {code} | {reason.severity} | {hours or '-'} | {_words(reason.may)} | {_words(acts)} |"


def _words(words: Sequence[str]) -> str:
    return ", ".join(words) or "-"


if __name__ == "__main__":
    print(page(), end="")
