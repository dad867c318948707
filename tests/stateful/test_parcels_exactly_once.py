"""No parcel lost, none doubled: fulfilment runs killed at every boundary, lost answers, faults, two runs at a time."""

from collections import Counter
from pathlib import Path

import pytest

from tests.stateful.agreement import leases_held
from tests.stateful.parcels import ParcelsPlay, disagreements, schedule


def test_every_parcel_is_told_once_with_its_units_and_tracks(
    seed: int,
    accepted: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    tally: "Counter[str]",
) -> None:
    plan = schedule(seed)
    folder, ledger_url = accepted
    play = ParcelsPlay(plan, folder, ledger_url)
    with play.opened():
        for name, value in play.installation.environment.items():
            monkeypatch.setenv(name, value)
        try:
            play.play()
            problems = [*disagreements(play), *(f"{lane} is still held" for lane in leases_held(ledger_url))]
            assert not problems, "\n".join(problems)
        except BaseException as failure:
            failure.add_note(f"{plan.words}\nPlay it again with: pytest tests/stateful --schedule {seed}")
            failure.add_note(f"What the runs printed: {play.log}")
            raise
        tally.update({"schedules of parcels": 1, "parcels": play.dispatches, "runs": play.runs})
        tally.update(f"runs killed: {kill}" for kill in play.kills)
