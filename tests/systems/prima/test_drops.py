"""The drop folder: a file is claimed, read whole and archived, or refused with its reason beside it."""

from pathlib import Path

import pytest

from schemas.drops import DISPATCH_DROP
from tasks.errors import SystemUnavailableError, UnexpectedResponseError
from tasks.systems.prima.drops import DropFolder

HEADER = ",".join(column.name for column in DISPATCH_DROP.columns)
ROWS = (
    "D1,30000042,2026-11-23 15:40:00,DPD,NEXTDAY,1550;1551,1,1,TEE,,,,,2",
    "D1,30000042,2026-11-23 15:40:00,DPD,NEXTDAY,1550;1551,2,2,JEANS,,,,,1",
    "D2,30000043,2026-11-23 16:00:00,RM,24,,1,1,TEE,,,,,1",
)


def a_file(*rows: str, trailer: str | None = None) -> str:
    """Return a dropped file with its trailer; `trailer` replaces it."""
    return "\n".join([HEADER, *rows, f"END,{len(rows)}" if trailer is None else trailer]) + "\n"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_dropped_file_is_claimed_read_by_dispatch_and_archived(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(a_file(*ROWS))
    folder = DropFolder(str(tmp_path))

    (claimed,) = folder.claim()
    assert names(tmp_path) == ["claimed/one.csv"]
    first, second = folder.read(claimed, has_trailer=True)
    folder.archive(claimed)

    assert (first.dispatch_number, first.header["tracking_numbers"]) == ("D1", "1550;1551")
    assert [(line["order_line_number"], line["quantity"]) for line in first.lines] == [(1, 2), (2, 1)]
    assert (second.dispatch_number, second.header["dispatched_at"]) == ("D2", "2026-11-23T16:00:00+00:00")
    (archived,) = names(tmp_path)
    assert archived.startswith("archive/")
    assert archived.endswith("/one.csv")


def test_files_that_are_being_written_and_files_of_others_stay_where_they_are(tmp_path: Path) -> None:
    for name in (".one.csv", "two.csv.part", "readme.txt"):
        (tmp_path / name).write_text("half")

    assert DropFolder(str(tmp_path)).claim() == []
    assert len(names(tmp_path)) == 3


def test_a_file_that_a_stopped_run_had_claimed_is_claimed_again_before_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(a_file(ROWS[0]))
    DropFolder(str(tmp_path)).claim()
    (tmp_path / "one.csv").write_text(a_file(ROWS[2]))

    folder = DropFolder(str(tmp_path))
    (left,) = folder.claim()
    assert [each.dispatch_number for each in folder.read(left, has_trailer=True)] == ["D1"]
    folder.archive(left)
    (later,) = folder.claim()
    assert [each.dispatch_number for each in folder.read(later, has_trailer=True)] == ["D2"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (a_file(*ROWS)[:-1], "breaks off"),
        (a_file(*ROWS)[: -len("END,3\n")], "does not end in END"),
        (a_file(*ROWS)[:-40], "breaks off|does not end"),
        (a_file(*ROWS, trailer="END,4"), "has 3 rows.*says 4"),
        (a_file("D1,30000042,yesterday,DPD,NEXTDAY,,1,1,TEE,,,,,2"), "dispatched_at.*yesterday"),
        (a_file(ROWS[0], ROWS[0]), "stands twice"),
        (a_file(ROWS[0], ROWS[1].replace("DPD", "RM")), "disagree about carrier"),
        (a_file(ROWS[0]).replace("quantity", "units"), "quantity are missing"),
        (a_file(ROWS[0].replace(",2", "")), "cells"),
    ],
)
def test_a_file_that_is_cut_or_breaks_its_contract_is_refused_whole(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "one.csv").write_text(content)
    folder = DropFolder(str(tmp_path))
    (claimed,) = folder.claim()

    with pytest.raises(UnexpectedResponseError, match=problem) as refused:
        folder.read(claimed, has_trailer=True)
    folder.refuse(claimed, str(refused.value))

    assert names(tmp_path) == ["refused/one.csv", "refused/one.csv.reason.txt"]
    assert "one.csv" in (tmp_path / "refused/one.csv.reason.txt").read_text()
    assert list(folder.refused()) == ["one.csv"]
    assert "one.csv was refused: " in folder.refused()["one.csv"]
    assert folder.claim() == []


def test_a_run_that_stops_while_it_refuses_a_file_leaves_none_without_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.csv").write_text("half")
    folder = DropFolder(str(tmp_path))
    (claimed,) = folder.claim()

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(folder._files, "mv", stopped)
        with pytest.raises(KeyboardInterrupt):
            folder.refuse(claimed, "it is cut")
    assert names(tmp_path) == ["claimed/one.csv", "refused/one.csv.reason.txt"]

    (left,) = DropFolder(str(tmp_path)).claim()
    folder.refuse(left, "it is cut")
    assert names(tmp_path) == ["refused/one.csv", "refused/one.csv.reason.txt"]


def test_every_place_at_which_a_file_can_be_cut_is_noticed(tmp_path: Path) -> None:
    whole = a_file(*ROWS)
    folder = DropFolder(str(tmp_path))
    for end in range(1, len(whole)):
        (tmp_path / "one.csv").write_text(whole[:end])
        (claimed,) = folder.claim()
        with pytest.raises(UnexpectedResponseError):
            folder.read(claimed, has_trailer=True)
        Path(claimed.path).unlink()


def test_without_a_trailer_a_file_must_at_least_end_its_last_line(tmp_path: Path) -> None:
    folder = DropFolder(str(tmp_path))
    (tmp_path / "one.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    (claimed,) = folder.claim()
    assert len(folder.read(claimed, has_trailer=False)) == 2


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SystemUnavailableError, match=r"no such folder.*fulfilment\.drop_folder"):
        DropFolder(str(tmp_path / "nowhere")).claim()


def test_a_folder_of_another_file_system_works_alike() -> None:
    folder = DropFolder("memory://drops")
    folder._files.pipe_file("/drops/one.csv", a_file(*ROWS).encode())
    (claimed,) = folder.claim()
    assert len(folder.read(claimed, has_trailer=True)) == 2
    folder.archive(claimed)
    assert folder.claim() == []
