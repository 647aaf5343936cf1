"""Names at the ends of lines: apart from one another, near to their lines, hidden with them, and no numbers."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import charts
from app.charts.frame import nth_look
from app.charts.line_ends import MARK, spread_apart
from app.charts.study import Series, study_curves


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.floats(0.001, 0.3))
def test_names_at_line_ends_lie_apart_and_as_near_to_their_lines_as_can_be(ends: list[float], apart: float) -> None:
    wanted = sorted(ends, reverse=True)
    found = spread_apart(wanted, apart)
    assert all(above - below >= apart - 1e-9 for above, below in pairwise(found))
    # Optimal where no group of touching neighbours would come nearer by moving as one, up or down.
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-6)
    if all(above - below >= apart for above, below in pairwise(wanted)):
        assert found == pytest.approx(wanted)


def test_a_study_of_many_lines_has_each_name_at_its_line_and_hides_it_with_it() -> None:
    frame = pd.DataFrame({"step": [0, 10], "epoch": [0, 1], "value": [0.1, 0.5]})
    series = [Series(label=f"Method {place}", look=nth_look(place), by_seed={0: frame}) for place in range(13)]
    figure = study_curves(series, title="CKA", shares=False, singles=False)
    names = [trace for trace in figure.data if trace.meta == MARK]
    assert [trace.text[-1].strip() for trace in names] == [one.label for one in series]
    assert all(trace.legendgroup == trace.name and not trace.showlegend for trace in names)
    assert set(charts.numbers(figure)["curve"]) == {one.label for one in series}
    crowd = [Series(label=str(place), look=nth_look(place), by_seed={0: frame}) for place in range(40)]
    assert not any(trace.meta == MARK for trace in study_curves(crowd, title="", shares=False, singles=False).data)
