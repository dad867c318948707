"""Exactly once, whatever happens: runs killed at every boundary, lost answers, faults, two runs at a time."""

from collections import Counter
from pathlib import Path

import pytest

from tests.stateful.agreement import disagreements, leases_held
from tests.stateful.orders import OrdersPlay
from tests.stateful.schedules import schedule


@pytest.mark.usefixtures("zygote")
def test_every_order_arrives_once_to_the_penny_or_is_an_exception(
    seed: int,
    tmp_path: Path,
    ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tally: "Counter[str]",
) -> None:
    plan = schedule(seed)
    play = OrdersPlay(plan, tmp_path / "installation", ledger_url)
    with play.opened():
        for name, value in play.installation.environment.items():
            monkeypatch.setenv(name, value)
        try:
            play.play()
            problems = [*disagreements(play), *(f"{lane} is still held" for lane in leases_held(ledger_url))]
            assert not problems, "\n".join(problems)
        except BaseException as failure:
            failure.add_note(f"{plan.words}\nPlay it again with: pytest tests/stateful --schedule {seed}")
            failure.add_note(f"The end of what the runs printed ({play.log}):\n{play.last_lines()}")
            raise
        tally.update({"schedules": 1, "orders": len(play.documents), "runs": play.runs})
        tally.update(f"runs killed: {kill}" for kill in play.kills)
