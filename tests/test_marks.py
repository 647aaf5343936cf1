"""What people say of runs, lists by it, and deleting with a way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bird_backend import runs
from bird_backend.cli.main import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import load_spec
from bird_backend.runs.marking import known_tags, mark_runs
from bird_backend.runs.marks import Marks, index_marks, read_marks
from bird_backend.runs.table import RunTable
from bird_backend.runs.trash import delete_runs, empty_trash, list_trash, restore_runs
from tests import synthetic


def made(count: int = 1, state: str = "done", **changes: Any) -> list[runs.Run]:
    specs = [load_spec(synthetic.transfer_document(seed=seed, **changes)) for seed in range(count)]
    store, found = runs.RunStore(), []
    for run in store.create_all(specs):
        if state != "queued":
            store.claim(run.id)
        if state in runs.FINAL:
            store.finish(run.id, state, summary={"seconds": 1.0})  # type: ignore[arg-type]
        found.append(store.get(run.id))
    return found


def test_marks_are_kept_in_the_directory_and_come_back_with_a_table_made_anew() -> None:
    one, two = made(2)
    mark_runs([one.id], name="  The   good one ", notes="See *figure 2*.", starred=True, tags=["Paper", "é"])
    mark_runs([one.id, two.id], tags=["draft"], archived=True)
    marks = Marks(
        name="The good one", starred=True, archived=True, tags=("draft", "Paper", "é"), notes="See *figure 2*."
    )
    found = runs.RunStore().get(one.id)
    assert (found.title, found.marks) == ("The good one", marks)
    assert json.loads((one.directory.path / "marks.json").read_text())["tags"] == ["draft", "Paper", "é"]
    with RunTable().writing() as db:
        db.execute("drop table marks")
    assert runs.RunStore().get(one.id).marks == Marks(), "the table is made again, empty"
    with RunTable().writing() as db:
        index_marks(db, [one.directory, two.directory])
    assert runs.RunStore().get(one.id) == found
    mark_runs([one.id], name="", notes="", starred=False, archived=False, without_tags=["draft", "Paper", "é"])
    assert runs.RunStore().get(one.id) == one
    (one.directory.path / "marks.json").write_text('{"name": 3, "tags": ["a", 1], "starred": "yes", "more": 1}')
    assert read_marks(one.directory) == Marks(tags=("a",))


def test_lists_are_of_what_is_marked() -> None:
    store, (one, two, three) = runs.RunStore(), made(3)
    mark_runs([one.id], starred=True, tags=["paper"], notes="ÄTNA")
    mark_runs([two.id], archived=True, tags=["paper", "old"])

    def ids(**wanted: Any) -> list[str]:
        found = store.list(**wanted)
        assert store.count(**wanted) == len(found)
        return [run.id for run in found]

    assert ids(archived=False) == [three.id, one.id] and ids(archived=True) == [two.id] and len(ids()) == 3
    assert ids(starred=True) == [one.id] and ids(tag="paper") == [two.id, one.id] and ids(tag="pap") == []
    assert ids(text="ÄTNA") == [one.id] and ids(text="OLD") == [two.id] and ids(text="paper", starred=True) == [one.id]
    assert ids(tag="paper", kind="rank") == [] and ids(starred=True, loose=True, states=("done",)) == [one.id]
    assert known_tags() == {"old": 1, "paper": 2}
    assert len(store.find_family(one)) == 3 and store.find_same(one.spec) == store.get(one.id)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tags": ["a,b"]}, "A tag is up to 40 letters without a comma"),
        ({"tags": [" "]}, "A tag is"),
        ({"tags": [str(number) for number in range(21)]}, "up to 20 tags, not 21"),
        ({"notes": "x" * 20_001}, "up to 20,000 letters, not 20,001"),
        ({"name": "two"}, "one run at a time"),
    ],
)
def test_what_can_not_be_said(changes: dict[str, Any], said: str) -> None:
    one, two = made(2)
    with pytest.raises(InputError, match=said):
        mark_runs([one.id, two.id], **changes)
    assert runs.RunStore().get(one.id) == one and known_tags() == {}, "all or none"
    with pytest.raises(UnknownNameError):
        mark_runs([one.id, "20260101-000000-transfer-0123456789abcdef"], starred=True)


def test_a_deleted_run_comes_back_whole(home: Path) -> None:
    store, (one, two) = runs.RunStore(), made(2)
    mark_runs([one.id], tags=["paper"])
    before, spec = store.get(one.id), one.spec
    (gone,) = delete_runs([one.id])
    assert (gone.id, gone.title) == (one.id, one.title) and gone.bytes > 0
    assert store.list() == [two] and not one.directory.path.exists() and known_tags() == {}
    assert store.find_same(spec) is None
    with pytest.raises(UnknownNameError):
        delete_runs([two.id, one.id])
    assert store.list() == [two], "all or none"
    restore_runs([one.id])
    assert store.get(one.id) == before and store.get(one.id).spec == spec
    assert not (one.directory.path / "row.json").exists() and list_trash() == []
    with pytest.raises(UnknownNameError, match="run in the trash"):
        restore_runs([one.id])


@pytest.mark.parametrize("state", ["queued", "running", "interrupted"])
def test_what_is_not_finished_is_not_deleted(state: str) -> None:
    (run,), (done,) = made(1, "queued" if state == "queued" else "running"), made(1)
    with RunTable().writing() as db:
        db.execute("update runs set state = ? where id = ?", (state, run.id))
    with pytest.raises(InputError, match=f"is {state}; stop it before"):
        delete_runs([done.id, run.id])
    assert runs.RunStore().count() == 2 and done.directory.path.is_dir() and run.directory.path.is_dir()


def test_a_deletion_that_was_cut_off_is_undone_and_one_that_fails_leaves_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, (one, two) = runs.RunStore(), made(2)
    row = store.get(one.id)
    delete_runs([one.id])
    with RunTable().writing() as db:  # as after a kill between the two: moved, and the row still there
        kept = json.loads((home / "trash" / one.id / "row.json").read_text())["row"]
        names = ", ".join(kept)
        db.execute(f"insert into runs ({names}) values ({', '.join(':' + name for name in kept)})", kept)
    restore_runs([one.id])
    assert store.get(one.id) == row and one.directory.path.is_dir()

    rename = Path.rename
    monkeypatch.setattr(
        Path, "rename", lambda path, to: rename(path, to if path.name != two.id else Path("/dev/null/no"))
    )
    with pytest.raises(InputError, match="can't be moved"):
        delete_runs([one.id, two.id])
    assert store.count() == 2 and one.directory.path.is_dir() and two.directory.path.is_dir()


def test_the_trash_is_freed_on_command_or_after_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = made(2)
    delete_runs([one.id])
    assert empty_trash(older_than_seconds=3600) == []
    monkeypatch.setattr("bird_backend.runs.trash.KEPT_DAYS", 0)
    delete_runs([two.id])
    assert [found.id for found in list_trash()] == [two.id]
    assert [found.id for found in empty_trash()] == [two.id] and list_trash() == []


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = made(2)
    assert main(["mark", one.id, "--name", "Mine", "--star", "--tag", "paper", "--notes", "Look."]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in (one.id, "*", "paper", "Mine"))
    assert main(["mark", one.id, two.id, "--archive", "--untag", "paper", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["marks"]["archived"] for each in found] == [True, True] and found[0]["marks"]["tags"] == []
    assert main(["delete", one.id]) == 0
    assert f"restore {one.id}" in capsys.readouterr().out
    assert main(["trash"]) == 0 and "Mine" in capsys.readouterr().out
    assert main(["restore", one.id]) == 0 and runs.RunStore().count() == 2
    assert main(["delete", one.id, two.id]) == 0 and main(["trash", "--free", "all"]) == 0
    assert main(["trash"]) == 0
    assert capsys.readouterr().out.endswith("The trash is empty.\n")
    assert main(["restore", one.id]) == 2 and main(["delete", one.id]) == 2
    assert main(["trash", "--free", "soon"]) == 2
    assert "Traceback" not in capsys.readouterr().err
