"""Runs of pairs joined with scores, and the command that predicts from them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bird_backend.cli.main import main
from bird_backend.errors import BirdError, UnknownNameError
from bird_backend.prediction import ATTRIBUTES, PAIR, between, join, layer_pairs, read_frame, unrun, wide
from tests.pairs import planted


def apart(**how: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of runs without scores, and the scores, one row a pair."""
    table = planted(**how)  # type: ignore[arg-type]
    scores = table[[*PAIR, *ATTRIBUTES]].drop_duplicates(list(PAIR)).reset_index(drop=True)
    return table.drop(columns=list(ATTRIBUTES)), scores


def long(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a score, usefulness under two options."""
    melted = scores.melt(list(PAIR), var_name="attribute").assign(option="")
    useful = melted["attribute"] == "usefulness"
    melted.loc[useful, "option"] = "min_mean"
    return pd.concat([melted[useful].assign(option="mean_max", value=melted["value"] * 2), melted])


def test_runs_find_their_scores_by_pair_whatever_the_order_and_shape() -> None:
    runs, scores = apart(seeds=2)
    table = planted(seeds=2)
    for given in (scores, scores.sample(frac=1, random_state=0), long(scores)):
        joined = join(runs, given)
        pd.testing.assert_frame_equal(joined[table.columns], table)
    twice = wide(long(scores), {"usefulness": "mean_max"})
    assert join(runs, twice)["usefulness"].to_numpy() == pytest.approx(2 * table["usefulness"].to_numpy())
    assert len(unrun(runs.head(2), long(scores))) == len(scores) - 1
    assert join(runs.assign(cka_before=0.5), None)["cka"].eq(0.5).all()
    measured = join(runs.assign(cka_before=0.5), scores.assign(cka=0.25))
    assert measured["cka"].eq(0.25).all()


def test_controls_and_what_is_not_done_are_left_out() -> None:
    runs, scores = apart()
    runs = runs.assign(state="done", control="none", robust_after=runs["robust_after"])
    runs.loc[0, ["state", "robust_after"]] = "failed", None
    runs.loc[1, ["control", "teacher"]] = "random-weights", "random Small CNN"
    joined = join(runs, scores)
    assert len(joined) == len(runs) - 2 and joined["robust_after"].notna().all()


def test_one_layer_pair_is_taken_alone() -> None:
    table = planted(layers=3)
    assert layer_pairs(table) == ("block0:block1", "block1:block1", "block2:block1")
    alone = between(table, "block1:block1")
    assert set(alone["teacher_layer"]) == {"block1"} and len(alone) == len(table) / 3
    with pytest.raises(UnknownNameError, match="layer pair"):
        between(table, "block9:block1")


def test_the_command_takes_one_layer_pair_where_all_of_its_pairs_were_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, path = planted(layers=2), tmp_path / "pairs.csv"
    table.to_csv(path, index=False)
    scores = tmp_path / "scores.csv"
    table.drop_duplicates([*PAIR])[[*PAIR, *ATTRIBUTES]].to_csv(scores, index=False)
    assert main(["predict", str(path), str(scores), "--layers", "block1:block1", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["pairs"], found["predictions"]) == (24, [])
    assert main(["predict", str(path), "--layers", "block7:block1"]) == 2


def test_what_does_not_match_is_named() -> None:
    runs, scores = apart()
    with pytest.raises(
        BirdError, match=r"^2 of 48 pairs have no scores, such as teacher-0 block0 → student-0 bl.*1\.$"
    ):
        join(runs, scores.drop(index=[0, 1]))
    renamed = scores.assign(teacher_layer=scores["teacher_layer"].str.replace("block", "stage"))
    with pytest.raises(BirdError, match=r"^48 of 48 .*: the scores have no teacher layer 'block0'\.$"):
        join(runs, renamed)
    with pytest.raises(BirdError, match="The scores have teacher-0 block0 → student-0 block1 twice"):
        join(runs, pd.concat([scores, scores.head(1)]))
    with pytest.raises(BirdError, match=r"The scores give usefulness of teacher-0 .* twice"):
        wide(pd.concat([long(scores), long(scores)]))
    with pytest.raises(BirdError, match="was not scored with 'sum'; there is 'mean_max', 'min_mean'"):
        wide(long(scores), {"usefulness": "sum"})
    with pytest.raises(BirdError, match="table of scores has no column teacher"):
        join(runs, scores.drop(columns="teacher"))


def test_the_command_prints_tables_or_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, scores = apart(noise=0.02, seeds=2)
    pairs, scored = tmp_path / "pairs.parquet", tmp_path / "scores.csv"
    runs[runs["teacher"] != "teacher-3"].to_parquet(pairs)
    long(scores).to_csv(scored, index=False)
    assert main(["predict", str(pairs), str(scored), "--outcome", "gain", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["outcome"], document["pairs"], document["teachers"]) == ("gain", 44, 11)
    (model,) = document["models"]
    shares = [one["share_of_r2"]["value"] for one in document["coefficients"]]
    assert sum(shares) == pytest.approx(model["r2_in_sample"]["value"])
    assert model["r2_new_teacher"]["kind"] == "bootstrap, over teachers"
    foretold = document["predictions"]
    assert {row["teacher"] for row in foretold} == {"teacher-3"} and len(foretold) == 4
    assert all(row["low"] < row["predicted"] < row["high"] for row in foretold)
    assert main(["predict", str(pairs), str(scored)]) == 0
    said = capsys.readouterr().out
    assert "Robust accuracy after of 44 pairs (11 teachers, 2 students, 2 seeds each)" in said
    assert "its share of R²" in said and "Not run, best of 4" in said and "the variance between pairs" in said


def test_files_that_are_none_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "pairs.parquet"
    broken.write_bytes(b"no table")
    for path, sentence in (
        (broken, "pairs.parquet can't be read as a parquet table."),
        (tmp_path / "none.csv", "There is no file"),
        (tmp_path / "pairs.xlsx", "is a .parquet or a .csv file, not 'pairs.xlsx'."),
    ):
        assert main(["predict", str(path)]) == 2
        assert sentence in capsys.readouterr().err
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(BirdError, match=r"empty\.csv can't be read as a csv table"):
        read_frame(empty)
