"""Scoring teachers, one network after the other; what is computed is kept, so a run that dies loses one network's."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bird_backend.attributes import LayerProfile, Scores, score_layer, score_pair
from bird_backend.errors import InputError
from bird_backend.evaluation.thumbnails import SIDE, thumbnails
from bird_backend.experiments.profiles import Profiles
from bird_backend.experiments.rank import Candidate, RankSpec
from bird_backend.experiments.rank.words import agreement, rank
from bird_backend.experiments.work import Work
from bird_backend.measures import Interval, wilson
from bird_backend.runs.fingerprints import file_digest
from bird_backend.runs.identity import identify
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.runs.scores import ANSWERS, RANKING, SCORE_COLUMNS, SCORES, ProbeAnswers
from bird_backend.specs import ModelRef

__all__ = ["execute"]

_log = logging.getLogger("bird")
_PICTURES = 120
_MOST_SUMMED_UP = 100
"""Pairs of layers that the summary has; `ranking.json` has all."""


def execute(spec: RankSpec, work: Work) -> dict[str, Any]:
    """Every score as `scores.parquet`, what probes say as `answers.npz`, and the ranking as `ranking.json`."""
    writer = work.writer
    data = work.load(spec.data, spec.image_size)
    identity = identify(spec)
    profiles = Profiles.on(
        data,
        spec.behaviour,
        identity=identity,
        seed=spec.seed,
        device=work.device,
        images=spec.images,
        training_images=spec.training_images,
    )
    _require_others(spec)
    student_layers = profiles.layers_of(spec.student, spec.student.layers, "student")
    teacher_layers = {teacher.title: _layers(profiles, teacher) for teacher in spec.teachers}
    profiles.changed.require_room()
    cells = profiles.changed.cells
    writer.begin(f"Changing {len(profiles.held_out):,} images", 0.25)
    for number, cell in enumerate(cells):
        profiles.changed.make(cell)
        writer.progress((number + 1) / len(cells))

    share = 0.7 / (1 + 2 * len(spec.teachers))
    ranking = _Ranking(spec, profiles)
    writer.begin(f"Looking at {spec.student.title}", share)
    ranking.see_student(profiles.of(spec.student, student_layers, "student", writer.progress))
    for teacher in spec.teachers:
        layers = teacher_layers[teacher.title]
        unlearned = ModelRef(model=teacher.model)
        writer.begin(f"Looking at {unlearned.title}", share)
        chance = profiles.of(unlearned, layers, "teacher", writer.progress)
        writer.begin(f"Looking at {teacher.title}", share)
        try:
            found = profiles.of(teacher, layers, "teacher", writer.progress)
        except InputError as error:
            raise InputError(f"{teacher.title}: {error}") from error
        ranking.see_teacher(teacher, found, chance)

    writer.begin("Ranking", 0.03)
    scores = pd.DataFrame(ranking.rows, columns=list(SCORE_COLUMNS))
    writer.save_table(SCORES, scores)
    writer.save_arrays(ANSWERS, vars(ranking.answers()))
    option = f"{spec.reduce}_{spec.aggregate}"
    said = agreement(scores, option)
    remarks = [*([said] if said else ()), *ranking.remarks(), *data.remarks]
    for remark in remarks:
        _log.info("%s", remark)
    ranked = rank(scores, option, spec.behaviour.behaviour.words)
    writer.save_json(RANKING, ranked)
    return {
        "behaviour": spec.behaviour.name,
        "n": len(profiles.held_out),
        "n_train": len(profiles.train),
        "cells": len(cells),
        "student": spec.student.title,
        "student_layers": list(student_layers),
        "option": option,
        "pairs": len(ranked),
        "ranking": ranked[:_MOST_SUMMED_UP],
        "student_scores": ranking.student_scores(),
        "remarks": remarks,
    }


def _layers(profiles: Profiles, teacher: Candidate) -> tuple[str, ...]:
    try:
        return profiles.layers_of(teacher, teacher.layers, "teacher")
    except InputError as error:
        raise InputError(f"{teacher.title}: {error}") from error


def _require_others(spec: RankSpec) -> None:
    """An `InputError` where a teacher's weights are the student's, whatever they are called."""
    if spec.student.weights is None:
        return
    own = file_digest(find_weights(spec.student.weights))
    for teacher in spec.teachers:
        if teacher.weights is not None and file_digest(find_weights(teacher.weights)) == own:
            raise InputError(f"The teacher {teacher.title} is the student: it has the weights of {spec.student.title}.")


class _Ranking:
    """Gathers what is found of one network after the other."""

    def __init__(self, spec: RankSpec, profiles: Profiles) -> None:
        self._spec = spec
        self._data = profiles.data
        self._labels = profiles.labels
        self._held_out = profiles.held_out
        self._student: Mapping[str, LayerProfile] = {}
        self._student_scores: dict[str, Scores] = {}
        self._probes: list[tuple[str, str, bool, np.ndarray]] = []
        self._chance: dict[tuple[str, str], Scores] = {}
        self._constant: list[str] = []
        self._unsettled: list[str] = []
        self.rows: list[tuple[object, ...]] = []

    def see_student(self, found: Mapping[str, LayerProfile]) -> None:
        self._student = found
        self._student_scores = {layer: score_layer(profile, self._labels) for layer, profile in found.items()}
        self._note(self._spec.student.title, found, student=True)

    def see_teacher(
        self, teacher: Candidate, found: Mapping[str, LayerProfile], chance: Mapping[str, LayerProfile]
    ) -> None:
        """`chance` is the same network with random weights, which has the same layers."""
        self._note(teacher.title, found, student=False)
        stated = _stated(teacher, self._spec.behaviour.name)
        for layer, profile in found.items():
            own = {**score_layer(profile, self._labels), **stated}
            if (teacher.model, layer) not in self._chance:
                self._chance[teacher.model, layer] = score_layer(chance[layer], self._labels)
            for guided, student in self._student.items():
                of_pair = (layer, self._spec.student.title, guided)
                scores = {**own, **score_pair(profile, student, self._labels)}
                beside = {**self._chance[teacher.model, layer], **score_pair(chance[layer], student, self._labels)}
                self.rows += _rows((teacher.title, *of_pair), scores, beside)

    def answers(self) -> ProbeAnswers:
        """What the probes say, with pictures of what some teacher knows and the student doesn't."""
        labels = self._labels.cpu().numpy()
        predicted = np.stack([answers for *_, answers in self._probes]).astype(np.int32)
        students = np.array([student for _, _, student, _ in self._probes])
        right = predicted == labels
        taught = right[~students].sum(axis=0)
        wanted = np.flatnonzero((taught > 0) & ~right[students].all(axis=0))
        shown = wanted[np.argsort(taught[wanted], kind="stable")][:_PICTURES]
        return ProbeAnswers(
            labels=labels,
            images=self._held_out.rows.numpy(),
            classes=np.array(self._data.classes),
            networks=np.array([network for network, *_ in self._probes]),
            layers=np.array([layer for _, layer, *_ in self._probes]),
            students=students,
            predicted=predicted,
            shown=shown,
            pictures=thumbnails(self._data.validation.take(self._held_out.rows[shown]), SIDE),
        )

    def student_scores(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Of the student's own layers, for comparison: by layer and attribute, with intervals."""
        option = f"{self._spec.reduce}_{self._spec.aggregate}"
        shown = {"probe_accuracy": "", "usefulness": option, "representation_stability": ""}
        return {
            layer: {name: scores[name, chosen].as_dict() for name, chosen in shown.items()}
            for layer, scores in self._student_scores.items()
        }

    def remarks(self) -> Iterator[str]:
        """What to know of the scores, in whole sentences."""
        absent = [name for index, name in enumerate(self._data.classes) if not bool((self._labels == index).any())]
        if absent:
            yield (
                f"No held-out image is of {_listed(absent)}, so usefulness goes by the other"
                f" {len(self._data.classes) - len(absent)} classes."
            )
        if self._constant:
            yield f"Features that are constant on training images count as useless: {_listed(self._constant)}."
        if self._unsettled:
            yield f"These probes had not converged when they were stopped: {_listed(self._unsettled)}."
        if self._spec.behaviour.behaviour.attacks:
            yield "Each network is attacked itself, against what it says of the images as they are."

    def _note(self, network: str, found: Mapping[str, LayerProfile], *, student: bool) -> None:
        for layer, profile in found.items():
            self._probes.append((network, layer, student, profile.predicted.cpu().numpy()))
            constant = profile.probe.scale.constant
            if bool(constant.any()):
                self._constant.append(f"{int(constant.sum())} of {len(constant)} in {layer} of {network}")
            if not profile.probe.converged:
                self._unsettled.append(f"{layer} of {network}")


def _stated(teacher: Candidate, behaviour: str) -> Scores:
    """The teacher's own robust accuracy, where its weights state it for this behaviour.

    With Wilson's interval for as many images, which is wider than that of a mean over cells would be.
    """
    origin = None if teacher.weights is None else read_provenance(find_weights(teacher.weights))
    measured = None if origin is None else origin.recipe.get("behaviour")
    if origin is None or origin.robust_accuracy is None or not isinstance(measured, dict):
        return {}
    if measured.get("name") != behaviour or origin.n_test == 0:
        return {}
    return {("teacher_robust_accuracy", ""): wilson(origin.robust_accuracy * origin.n_test, origin.n_test)}


def _rows(pair: tuple[str, ...], scores: Scores, chance: Scores) -> Iterator[tuple[object, ...]]:
    nothing = Interval.of_number(math.nan, 0)
    for (attribute, option), found in scores.items():
        beside = chance.get((attribute, option), nothing)
        yield (
            *pair,
            attribute,
            option,
            found.value,
            found.low,
            found.high,
            found.n,
            found.kind,
            beside.value,
            beside.low,
            beside.high,
        )


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
