"""The folder of refunds, as `magento-prima check` looks at it: there, writable, with room; else what to do."""

from pathlib import Path

import pytest

from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.systems.prima import refund_folder
from tasks.systems.prima.refund_folder import STAGING, RefundFolder


def test_a_good_folder_says_what_is_free_and_what_prima_has_not_taken(tmp_path: Path) -> None:
    folder = RefundFolder(tmp_path)
    folder.stage("refund-1.csv", b"x")
    folder.hand_over("refund-1.csv")

    said = folder.check()

    assert said.startswith(f"{tmp_path}, ")
    assert said.endswith(" MiB free, 1 files that PRIMA has not taken yet")
    assert sorted(each.name for each in tmp_path.rglob("*")) == [STAGING, "refund-1.csv"], "nothing of the check stays"


@pytest.mark.parametrize("said", ["does not exist", "is no folder", "cannot be written", r"has \d+ MiB left"])
def test_a_folder_that_takes_no_refund_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    named = tmp_path / "refunds"
    if said == "is no folder":
        named.write_text("")
    elif said != "does not exist":
        named.mkdir()
    if said == "cannot be written":
        (named / STAGING).write_text("")  # whoever runs this may be allowed everything, but not this
    if said.endswith("left"):
        monkeypatch.setattr(refund_folder, "LEAST_FREE_BYTES", 2**80)

    with pytest.raises(ConfigurationError, match=f"{named} {said}") as caught:
        RefundFolder(named).check()

    assert "refunds.export_folder" in caught.value.next_step


def test_a_folder_that_is_away_is_not_made_here_when_a_refund_is_written(tmp_path: Path) -> None:
    with pytest.raises(SystemUnavailableError, match="No such file"):
        RefundFolder(tmp_path / "mount" / "refunds").stage("refund-1.csv", b"x")
    assert list(tmp_path.iterdir()) == []
