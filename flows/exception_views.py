"""One exception, one code, and what an act came to, as lines of text."""

from typing import Any

from schemas.desk import ActResult
from schemas.money import show


def lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return an exception's view as lines of text."""
    with_whom = f"with {view['assigned_to']}" if view["assigned_to"] else "with nobody yet"
    lines = [
        f"Exception {view['number']}: {view['code']}, {view['severity']}, {view['state']}",
        view["sentence"],
        f"  about     {view['subject']}",
        f"  at risk   {show(view['value_at_risk_pence'], view['currency'])}",
        f"  since     {view['first_seen_at']}, {view['age_hours']} h, came up {view['occurrences']} time(s)",
        f"  owner     {view['owner']}, {with_whom}; may decide: {', '.join(view['may'])}",
        f"  detail    {view['detail']}",
        f"  next      {view['next_step']}",
    ]
    if view["ignored_at"]:
        lines.append(f"  rests     ignored since {view['ignored_at']}, until more is at risk")
    elif view["is_resting"]:
        lines.append(f"  rests     until {view['snoozed_until']}")
    if view["fix"]:
        lines.append(f"  suggested {view['fix']['text']} (confidence: {view['fix']['confidence']})")
        lines.append(f"            {view['fix']['command']}")
    if view["suggestions"][1:]:
        lines.append(f"  also      {'; '.join(view['suggestions'][1:])}")
    if view["state"] == "closed":
        lines.append(f"  closed    {view['closed_at']} by {view['closed_by']}")
    else:
        lines.append(f"  acts      {', '.join(view['acts'])}")
    lines.append(f"  handbook  {view['anchor']}")
    lines.append("")
    lines += [f"  {each['at']}  {each['event']:<9} {each['actor']}: {each['text']}" for each in view["history"]]
    return ["".join(sign if sign.isprintable() else "?" for sign in line) for line in lines]


def lines_of_code(view: dict[str, Any]) -> list[str]:
    """Return what is known of a code as lines of text."""
    return [
        f"{view['code']}, {view['severity']}, of {view['owner']}",
        view["sentence"],
        f"  what to do   {view['next_step']}",
        f"  at risk      {view['value_at_risk']}",
        f"  next person  {view['next_person']}",
        f"  may decide   {', '.join(view['may'])}",
        f"  acts         {', '.join(view['acts'])}",
        f"  handbook     {view['anchor']}",
    ]


def result_lines(result: ActResult) -> list[str]:
    """Return what an act came to as lines of text, each exception on one."""
    lines = [
        f"{row.outcome}: {row.number} {row.code} {row.subject}, "
        f"{show(row.value_at_risk_pence, row.currency)}: {row.text}"
        for row in result.rows
    ]
    if not lines:
        return ["No open exception fits."]
    if result.is_preview:
        total: dict[str, int] = {}
        for row in result.rows:
            if row.outcome == "would be done":
                total[row.currency] = total.get(row.currency, 0) + row.value_at_risk_pence
        worth = ", ".join(show(pence, currency) for currency, pence in total.items()) or "nothing"
        lines.append(
            f"A preview of {result.act}: {result.count('would be done')} would be done ({worth} at risk), "
            f"{result.count('refused')} refused. It is done with --run, or with numbers and without --preview."
        )
    return lines
