"""Numbers that are read rather than downloaded: a real minus wherever something is below zero."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1.element_tree import Dataframe

from app.backend import data
from tests import synthetic
from tests.pages import show


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


def test_differences_have_a_real_minus() -> None:
    run = synthetic.write_transfer("done")
    (table,) = [frame for frame in show("live", run=run.id).dataframe if "Reading" in frame.value]
    gaps = [name for name in table.value if name.endswith("(points)")]
    assert (table.value[gaps] < 0).any(axis=None), "no difference below zero to look at"
    assert "−".encode() in table.proto.SerializeToString(), "the text that is shown of a number"


def test_no_table_of_numbers_has_a_hyphen_for_a_minus() -> None:
    """Where there is something below zero in it; what is downloaded is the number itself."""
    run = synthetic.write_transfer("done")
    tables = [table for table in show("robustness", run=run.id).dataframe if (_numbers(table) < 0).any(axis=None)]
    assert tables, "nothing below zero to look at"
    assert all("−".encode() in table.proto.SerializeToString() for table in tables)
    app = show("compare", runs=f"{run.id},{synthetic.write_transfer('done', seed=1).id}")
    (results,) = [part.proto.body for part in app.get("html") if "Results of the compared runs" in part.proto.body]
    assert "−" in results
    assert not re.search(r">-\d", results)


def _numbers(table: Dataframe) -> pd.DataFrame:
    return table.value.select_dtypes("number")
