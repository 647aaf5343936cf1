"""How long a run will take, said before it starts: from runs this home has seen, else from the networks' sizes.

A guess from sizes counts multiply-adds, three forwards a training step, at a throughput that small networks reach; it
is right to a factor of two or so and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.backend import data
from app.backend.machine import Machine
from app.backend.networks import multiply_adds
from app.backend.own_images import find_images, image_size_of
from app.backend.studies import Plan
from bird_backend import catalog
from bird_backend.catalog import ModelFacts
from bird_backend.durations import rough
from bird_backend.experiments import PretrainSpec, RobustifySpec, TransferSpec
from bird_backend.transfer import METHODS

__all__ = ["Estimate", "analyze_seconds", "estimate", "study_seconds"]

START_SECONDS = 4.0
"""A process, its imports and the data set."""
UNKNOWN_IMAGES = 10_000
"""Taken for one's own images that are not read yet."""
TRAINING_RATE = {"cpu": 1.6e10, "gpu": 6e12}
"""Multiply-adds a second, per core on a CPU."""
STEP_SECONDS = {"cpu": 0.006, "gpu": 0.004}
"""What a step costs however small the network."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Seconds a run will take, and what that rests on."""

    seconds: float
    basis: str

    @property
    def words(self) -> str:
        """`about 40 seconds`."""
        return f"about {rough(self.seconds)}"


def estimate(spec: TransferSpec | PretrainSpec | RobustifySpec, runs: Iterable[data.Run], here: Machine) -> Estimate:
    """The whole run: training every arm, then measuring every model under every condition."""
    student = spec.student if isinstance(spec, TransferSpec) else spec.model
    kind = "gpu" if spec.device != "cpu" and (here.gpus or here.apple) else "cpu"
    rate: float = TRAINING_RATE[kind] * (here.cores**0.7 if kind == "cpu" else 1)
    measured = _measured_rate(spec, runs)
    seconds, (trained, tests) = START_SECONDS, _counts(spec.data)
    for work in _arms(spec):
        each = 1 / measured if measured else work / rate + STEP_SECONDS[kind] / spec.training.batch_size
        seconds += spec.training.epochs * trained * each
    models = 1 + len(spec.arms) if isinstance(spec, TransferSpec) else 1
    settings = spec.behaviour
    cells = 1 + len(settings.conditions) * len(settings.strengths)
    passes = 1 + settings.behaviour.measuring_passes(settings)
    tested = min(spec.evaluation.limit or tests, tests)
    seconds += models * cells * tested * (1.3 * passes * multiply_adds(student, spec) / rate + 4e-5)
    basis = (
        f"from an earlier run of these networks here ({measured:,.0f} images a second)"
        if measured
        else "guessed from the networks' sizes, so right to a factor of two or so"
    )
    return Estimate(seconds=seconds, basis=basis)


def analyze_seconds(networks: Iterable[ModelFacts], here: Machine) -> float:
    """Measuring CKA of every layer pair of two networks on 512 images."""
    rate = TRAINING_RATE["gpu" if here.gpus or here.apple else "cpu"] * max(1, here.cores**0.7)
    return float(START_SECONDS + 512 * sum(facts.multiply_adds for facts in networks) / rate)


def study_seconds(plan: Plan, runs: Iterable[data.Run], here: Machine) -> float:
    """All runs of a study, one after another. Runs that were done already are among them, so it is at most this."""
    known = list(runs)
    first = {variant.key: estimate(plan.spec(variant, plan.seeds[0]), known, here).seconds for variant, _ in plan.asked}
    return sum(first[variant.key] for variant, _ in plan.asked)


def _arms(spec: TransferSpec | PretrainSpec | RobustifySpec) -> tuple[float, ...]:
    """Multiply-adds an image of each arm that is trained: forward and backward, and who else looks at it."""
    changing = spec.behaviour.behaviour.training_passes(spec.behaviour)
    if not isinstance(spec, TransferSpec):
        return ((3 + changing * isinstance(spec, RobustifySpec)) * multiply_adds(spec.model, spec),)
    work = []
    for method in spec.arms:
        facts = METHODS[method.name]
        student = spec.teacher if method.name == spec.method.name and spec.start == "teacher" else spec.student
        passes = facts.student_passes + changing * facts.under_conditions
        looking = multiply_adds(spec.teacher, spec) if facts.needs_teacher else 0
        work.append(passes * multiply_adds(student, spec) + looking)
    return tuple(work)


def _measured_rate(spec: TransferSpec | PretrainSpec | RobustifySpec, runs: Iterable[data.Run]) -> float | None:
    # The same method's is the best to go by; another's of the same networks is still better than a guess.
    for run in sorted(runs, key=lambda run: _method(run) != getattr(getattr(spec, "method", None), "name", None)):
        rate = (run.summary or {}).get("images_per_second")
        if run.state == "done" and run.kind == spec.kind and rate and _alike(spec, run):
            return float(rate)
    return None


def _method(run: data.Run) -> str | None:
    found = (run.summary or {}).get("method")
    return None if found is None else str(found)


def _alike(spec: TransferSpec | PretrainSpec | RobustifySpec, run: data.Run) -> bool:
    try:
        other = data.spec_of(run)
    except data.BirdError:
        return False
    roles = ("teacher", "student") if isinstance(spec, TransferSpec) else ("model",)
    attacked = spec.behaviour.behaviour.attacks  # training on attacks has a speed of its own
    return (
        isinstance(other, type(spec))
        and all(getattr(other, role).model == getattr(spec, role).model for role in roles)
        and (not attacked or other.behaviour == spec.behaviour)
        and other.device == spec.device
        and image_size_of(other.data, other.image_size) == image_size_of(spec.data, spec.image_size)
        and other.training.batch_size == spec.training.batch_size
    )


def _counts(name: str) -> tuple[int, int]:
    """Images to learn from and to test on."""
    if (facts := catalog.known_dataset(name)) is not None:
        return facts.train, facts.test
    found = find_images(name)
    if found is None or found.images is None:
        return UNKNOWN_IMAGES, UNKNOWN_IMAGES // 5
    return found.images.train, found.images.test
