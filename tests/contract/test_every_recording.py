"""No recording is forgotten: each is kept here for a test to replay, or has a reason not to be."""

from tests.contract.not_replayed import NOT_REPLAYED
from tests.contract.recorded import FOLDER


def test_each_recording_is_kept_for_replaying_or_has_a_reason_not_to_be() -> None:
    index = (FOLDER / "index.txt").read_text("utf-8").split()
    kept = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.json")]
    assert sorted([*kept, *NOT_REPLAYED]) == sorted(index)
