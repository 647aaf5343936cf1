"""The predictor against planted coefficients, slow oracles written another way, and tables that can't be used."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from bird_backend.errors import BirdError
from bird_backend.prediction import ATTRIBUTES, Predictor, fit, fit_each, noise_ceiling
from bird_backend.prediction.linear import LeastSquares, determined
from bird_backend.prediction.resampling import Moments, draws
from bird_backend.prediction.ridge import PENALTIES, choose_penalty, ridge
from bird_backend.prediction.scoring import Rows, held_out
from bird_backend.prediction.shapley import shapley, subsets
from tests.pairs import PLANTED, planted


def arrays(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    columns = table[list(ATTRIBUTES)].to_numpy(), table["robust_after"].to_numpy()
    return *columns, table["teacher"].to_numpy(str), table["student"].to_numpy(str)


def test_planted_coefficients_are_found_exactly_without_noise_and_within_their_intervals_with_it() -> None:
    exact = fit(planted())
    assert [one.raw.value for one in exact.coefficients] == pytest.approx(PLANTED)
    assert exact.line.coefficients[0] == pytest.approx(0.1)
    assert exact.models[0].in_sample.value == pytest.approx(1)
    assert exact.models[0].new_teacher is not None and exact.models[0].new_teacher.value == pytest.approx(1)
    for one, slope in zip(fit(planted(noise=0.03, seed=4)).coefficients, PLANTED, strict=True):
        assert one.raw.low < slope < one.raw.high
        assert one.raw.kind == "Student's t, over teachers" and one.raw.n == 12
        assert one.share.low <= one.share.value <= one.share.high


def test_nothing_is_predicted_of_shuffled_targets() -> None:
    table = planted(teachers=30, noise=0.02)
    table["robust_after"] = np.random.default_rng(1).permutation(table["robust_after"])
    found = fit(table).models[0]
    assert 0 <= found.in_sample.value < 0.1
    assert found.new_teacher is not None and found.new_teacher.value < 0.02 and found.new_teacher.low < 0


def test_out_of_fold_predictions_and_r2_are_those_of_scikit_learn() -> None:
    table = planted(noise=0.05, between=0.02)
    X, y, teachers, students = arrays(table)
    found = fit(table).models[0]
    for groups, ours in ((teachers, found.new_teacher), (students, found.new_student)):
        theirs = cross_val_predict(LinearRegression(), X, y, groups=groups, cv=LeaveOneGroupOut())
        assert ours is not None
        assert ours.value == pytest.approx(r2_score(y, theirs))
        assert ours.low < ours.value < ours.high
    assert found.in_sample.value == pytest.approx(LinearRegression().fit(X, y).score(X, y))


def test_the_covariance_over_teachers_is_the_jackknife_of_normal_equations() -> None:
    X, y, teachers, _ = arrays(planted(noise=0.05, between=0.05))
    line = LeastSquares(X, y, teachers)
    design = np.column_stack([np.ones(len(y)), X])
    whole = np.linalg.solve(design.T @ design, design.T @ y)
    slow = np.zeros((4, 4))
    names = sorted(set(teachers))
    for name in names:
        rows = [index for index, other in enumerate(teachers) if other != name]
        step = np.linalg.inv(design[rows].T @ design[rows]) @ design[rows].T @ y[rows] - whole
        slow += np.outer(step, step) * (len(names) - 1) / len(names)
    assert line.covariance == pytest.approx(slow)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    assert line.leverage(X) == pytest.approx(np.diag(hat))
    assert line.noise == pytest.approx(float(y @ (np.eye(len(y)) - hat) @ y) / (len(y) - 4))


def test_ridge_is_scikit_learns_and_its_penalty_the_best_on_groups_left_out() -> None:
    X, y, teachers, _ = arrays(planted(noise=0.08))
    X = np.column_stack([X, 1e6 * X[:, 0] + 1e5 * np.random.default_rng(0).normal(size=len(y))])
    scaled = (X - X.mean(0)) / X.std(0)
    for penalty in (0.01, 1.0):
        theirs = Ridge(alpha=penalty * len(y)).fit(scaled, y)
        ours = ridge(X, y, penalty)
        assert ours[0] + X @ ours[1:] == pytest.approx(theirs.predict(scaled))

    def error(penalty: float) -> float:
        left = 0.0
        for name in set(teachers):
            out = teachers == name
            found = ridge(X[~out], y[~out], penalty)
            left += float(((found[0] + X[out] @ found[1:] - y[out]) ** 2).sum())
        return left

    assert choose_penalty(X, y, teachers) == min(PENALTIES, key=error)
    rows = Rows(X=X, y=y, teachers=teachers, students=teachers)
    predicted = held_out(rows, teachers, penalised=True)
    assert predicted is not None
    out = teachers == "teacher-3"
    inner = ridge(X[~out], y[~out], choose_penalty(X[~out], y[~out], teachers[~out]))
    assert predicted[out] == pytest.approx(inner[0] + X[out] @ inner[1:])


def test_moments_of_a_resample_give_the_r2_of_its_rows_written_out() -> None:
    X, y, teachers, _ = arrays(planted(teachers=6, noise=0.1))
    names, codes = np.unique(teachers, return_inverse=True)
    weights = draws(len(names))[:4]
    for columns in ((0, 1, 2), (1,), ()):
        found = Moments(X, y, codes).r_squared(columns, weights)
        for counts, ours in zip(weights, found, strict=True):
            rows = np.concatenate(
                [np.flatnonzero(codes == code) for code, n in enumerate(counts) for _ in range(int(n))]
            )
            model = LinearRegression().fit(X[rows][:, columns], y[rows]) if columns else None
            slow = 0.0 if model is None else model.score(X[rows][:, columns], y[rows])
            assert ours == pytest.approx(slow, abs=1e-9)


def test_shapley_shares_sum_to_r2_and_are_the_mean_over_all_orders() -> None:
    table = planted(noise=0.05)
    table["complementary_knowledge"] += 0.5 * table["probe_accuracy"]
    X, y, _, _ = arrays(table)
    found = fit(table)

    def r2(columns: tuple[int, ...]) -> float:
        return LinearRegression().fit(X[:, columns], y).score(X[:, columns], y) if columns else 0.0

    slow = np.zeros(3)
    for order in permutations(range(3)):
        for place, player in enumerate(order):
            slow[player] += (r2(order[: place + 1]) - r2(order[:place])) / factorial(3)
    assert [one.share.value for one in found.coefficients] == pytest.approx(list(slow), abs=1e-9)
    assert sum(one.share.value for one in found.coefficients) == pytest.approx(found.models[0].in_sample.value)
    constant = {chosen: np.array(float(1 in chosen)) for chosen in subsets(4)}
    assert shapley(constant, 4) == pytest.approx([0, 1, 0, 0])


@pytest.mark.parametrize("between", [0.0, 0.03])
def test_prediction_intervals_cover_new_teachers(between: float) -> None:
    """Of 60 tables with 40 new pairs each; a teacher's own share of the noise is not to be missed."""
    inside = []
    for seed in range(60):
        old = planted(teachers=14, students=1, noise=0.03, between=between, seed=seed)
        new = planted(teachers=20, students=1, noise=0.03, between=between, seed=1000 + seed)
        X, y, teachers, _ = arrays(old)
        predictor = predictor_of(old, LeastSquares(X, y, teachers))
        found = predictor.predict(new)
        inside.append(((found["low"] < new["robust_after"]) & (new["robust_after"] < found["high"])).mean())
    assert 0.93 < np.mean(inside) < 0.985


def predictor_of(pairs: pd.DataFrame, line: LeastSquares) -> Predictor:
    """A predictor without its tables of R², which take most of the time."""
    return Predictor(
        data="",
        outcome="robust_after",
        pairs=pairs,
        coefficients=(),
        models=(),
        ceiling=None,
        notes=(),
        line=line,
        attributes=ATTRIBUTES,
    )


def test_what_lies_outside_is_said_in_words() -> None:
    found = fit(planted(noise=0.02))
    new = planted(teachers=2).assign(teacher="new")
    middle = found.line.X.mean(axis=0)
    new = new.head(1).assign(**dict(zip(ATTRIBUTES, middle, strict=True)))
    inside = found.predict(new).iloc[0]
    assert inside["outside"] == "" and inside["leverage"] == pytest.approx(1 / len(found.pairs))
    assert inside["predicted"] == pytest.approx(found.pairs["robust_after"].mean())
    above = found.predict(new.assign(usefulness=0.9)).iloc[0]
    assert above["outside"].startswith("Robust usefulness 0.900 is above all it was fitted on (0.0")
    assert above["high"] - above["low"] > inside["high"] - inside["low"]
    corner = dict(
        zip(ATTRIBUTES, (found.line.X[:, 0].max(), found.line.X[:, 1].min(), found.line.X[:, 2].max()), strict=True)
    )
    assert "no pair had such a combination" in found.predict(new.assign(**corner))["outside"].iloc[0]


def test_scales_and_order_of_rows_change_nothing() -> None:
    table = planted(noise=0.04, between=0.02, seeds=2)
    table["cka"] = np.random.default_rng(0).uniform(size=len(table))
    found = fit(table)
    shuffled = table.sample(frac=1, random_state=0)
    scaled = table.assign(usefulness=1e6 * table["usefulness"] - 3, cka=table["cka"] / 7)
    for other in (fit(shuffled), fit(scaled)):
        for ours, theirs in zip(found.models, other.models, strict=True):
            assert theirs.in_sample.as_dict() == pytest.approx(ours.in_sample.as_dict())
            assert theirs.new_teacher is not None and ours.new_teacher is not None
            assert theirs.new_teacher.as_dict() == pytest.approx(ours.new_teacher.as_dict())
        for one, same in zip(found.coefficients, other.coefficients, strict=True):
            assert same.standardised.as_dict() == pytest.approx(one.standardised.as_dict())
            assert same.share.as_dict() == pytest.approx(one.share.as_dict())


def test_seeds_are_averaged_and_bound_what_can_be_explained() -> None:
    table = planted(teachers=40, seeds=3, noise=0.1)
    found = fit(table)
    assert len(found.pairs) == 160 and set(found.pairs["seeds"]) == {3}
    first = table[table["run"].str.startswith("20260101-000000-transfer-00")]
    assert found.pairs["robust_after"].iloc[0] == pytest.approx(first["robust_after"].mean())
    signal = fit(planted(teachers=40, seeds=3)).pairs["robust_after"].var()
    assert found.ceiling is not None
    assert found.ceiling.noise == pytest.approx(0.1, rel=0.1)
    assert found.ceiling.share.value == pytest.approx(signal / (signal + 0.1**2 / 3), abs=0.06)
    assert found.ceiling.share.low < found.ceiling.share.value < found.ceiling.share.high


def test_what_a_seed_does_to_all_pairs_alike_is_no_noise_between_them() -> None:
    table = planted(seeds=3, noise=0.05)
    moved = table.assign(robust_after=table["robust_after"] + 0.3 * table["seed"])
    ours, theirs = noise_ceiling(table, "robust_after"), noise_ceiling(moved, "robust_after")
    assert ours is not None and theirs is not None
    assert theirs.noise == pytest.approx(ours.noise)
    assert theirs.share.value == pytest.approx(ours.share.value)
    # Two-way analysis of variance by sums of squares, for a balanced table of one student.
    one = table[table["student"] == "student-0"].pivot_table(
        index=["teacher", "teacher_layer"], columns="seed", values="robust_after"
    )
    cells = one.to_numpy()
    left = cells - cells.mean(0) - cells.mean(1, keepdims=True) + cells.mean()
    slow = np.sqrt((left**2).sum() / ((len(cells) - 1) * 2))
    alone = noise_ceiling(table[table["student"] == "student-0"], "robust_after")
    assert alone is not None and alone.noise == pytest.approx(slow)
    assert noise_ceiling(planted(seeds=1), "robust_after") is None


def test_the_teachers_own_robustness_and_cka_are_rivals_where_they_are_known() -> None:
    table = planted(noise=0.02)
    names = [model.name for model in fit(table).models]
    assert names == ["attributes"]
    codes = np.unique(table["teacher"], return_inverse=True)[1]
    table = table.assign(teacher_robust_accuracy=codes / 12, cka=table["robust_after"] * 2, parameters=1000)
    found = fit(table)
    models = {model.name: model for model in found.models}
    assert list(models) == ["attributes", "wide", "teacher_robust_accuracy", "cka"]
    assert models["cka"].in_sample.value == pytest.approx(1)
    assert models["wide"].columns == (*ATTRIBUTES, "cka", "teacher_robust_accuracy")
    assert found.notes == ("Parameters is the same in all pairs and is left out.",)


def test_each_data_set_has_its_own_predictor() -> None:
    table = pd.concat([planted(), planted(slopes=(0, 0, 1)).assign(data="digits")])
    first, second = fit_each(table)
    assert (first.data, second.data) == ("fashion-mnist-small", "digits")
    assert [one.raw.value for one in second.coefficients] == pytest.approx([0, 0, 1], abs=1e-9)
    with pytest.raises(BirdError, match=r"^digits: All 4 pairs are of the teacher teacher-0"):
        fit_each(pd.concat([planted(), planted(teachers=1).assign(data="digits")]))


def test_a_teacher_that_holds_all_there_is_to_see_cannot_be_left_out() -> None:
    table = planted(noise=0.01)
    table.loc[table["teacher"] != "teacher-0", "usefulness"] = 0.1
    found = fit(table)
    assert found.models[0].new_teacher is None
    assert not found.coefficients[0].raw.bounded
    assert determined(table[["usefulness"]].to_numpy())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.head(0), "The table of pairs is empty"),
        (lambda table: table[table["teacher"] == "teacher-0"], "All 4 pairs are of the teacher teacher-0"),
        (lambda table: table.groupby("teacher").head(1).head(4), "4 pairs are too few for 4 coefficients"),
        (lambda table: table.assign(usefulness=0.5), "Robust usefulness is the same in all 48 pairs"),
        (lambda table: table.assign(robust_after=0.5), "Robust accuracy after is the same in all 48 pairs"),
        (lambda table: table.assign(usefulness=table["probe_accuracy"] / 2), "one follows from the others"),
        (
            lambda table: table.assign(usefulness=table["usefulness"].where(table.index > 2)),
            "3 of 48 pairs have no usef",
        ),
        (lambda table: table.assign(robust_after="much"), "48 of 48 pairs have no robust_after"),
        (lambda table: table.drop(columns="usefulness"), "The table of pairs has no column usefulness"),
        (lambda table: table.drop(columns="teacher_layer"), "The table of pairs has no column teacher_layer"),
    ],
)
def test_a_table_that_can_not_be_used_is_one_sentence(change: object, sentence: str) -> None:
    assert callable(change)
    with pytest.raises(BirdError, match=sentence) as caught:
        fit(change(planted()))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_an_unknown_outcome_names_those_there_are() -> None:
    with pytest.raises(BirdError, match="Unknown outcome 'gian': did you mean gain"):
        fit(planted(), outcome="gian")
