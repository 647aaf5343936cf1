"""What is wrong with a transfer that is being put together, in words, before it is launched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.backend.weights import Weights, title_of
from app.form.drafts import OWN, Draft
from bird_backend import catalog
from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.specs import MatchingMethod

__all__ = ["Findings", "review"]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`problems` keep it from being launched; `notes` are worth knowing."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def review(document: Mapping[str, Any], draft: Draft, checkpoints: Mapping[str, Weights]) -> Findings:
    """Look at a draft and the document it makes."""
    problems = list(_path_problems(draft))
    notes: list[str] = []
    try:
        spec = load_spec(document)
    except BirdError as error:
        problems = problems or [str(error)]
    else:
        if isinstance(spec, TransferSpec):
            problems += _size_problems(spec)
            problems += _class_problems(spec, checkpoints)
            notes = list(_notes(spec, draft, checkpoints))
    return Findings(problems=tuple(problems), notes=tuple(notes))


def _path_problems(draft: Draft) -> Iterator[str]:
    if draft.data != OWN:
        return
    kind, _, path = draft.data_name.partition(":")
    place = Path(path).expanduser()
    if not path:
        yield "Say where your images are: the path of a folder or a zip."
    elif not place.exists():
        yield f"There is nothing at {path} on the machine that runs this app."
    elif kind == "folder" and not place.is_dir():
        yield f"{path} is a file; images come in a folder with one folder per class, or in a .zip of one."
    elif kind == "zip" and not place.is_file():
        yield f"{path} is not a file; write folder:{path} if it is a folder."


def _size_problems(spec: TransferSpec) -> Iterator[str]:
    facts = catalog.DATASETS.get(spec.data)
    if facts and spec.training.batch_size > facts.train:
        yield (
            f"A batch of {spec.training.batch_size:,} is larger than the {facts.train:,} training images of "
            f"{facts.title}; choose a smaller one."
        )
    if not spec.evaluation.corruptions:
        yield "Choose at least one corruption to test on, or nothing says whether the transfer helped."


def _class_problems(spec: TransferSpec, checkpoints: Mapping[str, Weights]) -> Iterator[str]:
    facts, made = catalog.DATASETS.get(spec.data), _made(spec.student.weights, checkpoints)
    if facts and facts.classes and made and len(made.classes) != len(facts.classes):
        yield (
            f"The student {spec.student.weights} tells {len(made.classes)} classes apart and {facts.title} has "
            f"{len(facts.classes)}; choose a student that was trained on {facts.title}."
        )
    method, teacher = catalog.find_method(spec.method.name), _made(spec.teacher.weights, checkpoints)
    classes = facts.classes if facts and facts.classes else made.classes if made and made.data == spec.data else ()
    if method.needs_same_classes and spec.control != "random-weights" and teacher and tuple(classes) != teacher.classes:
        yield (
            f"{method.title} need a teacher that tells the student's own classes apart, and {spec.teacher.weights} "
            f"tells apart those of {title_of(teacher.data)}; choose a teacher trained on {title_of(spec.data)}."
        )


def _notes(spec: TransferSpec, draft: Draft, checkpoints: Mapping[str, Weights]) -> Iterator[str]:
    made = _made(spec.student.weights, checkpoints)
    if made and made.data != spec.data:
        yield (
            f"This student was trained on {title_of(made.data)}, not on {title_of(spec.data)}: its accuracy before the "
            "transfer will be near chance."
        )
    if spec.student.weights is None:
        yield "The student starts from random weights, so this trains it from nothing rather than moving a behaviour."
    method = catalog.find_method(spec.method.name)
    if method.needs_teacher and spec.teacher.weights is None:
        yield "The teacher has random weights: a control, from which nothing should be learned."
    if getattr(spec.method, "beta", None) == 0:
        yield "β is 0, so the teacher has no say: this is fine-tuning under another name."
    if getattr(spec.method, "alpha", None) == 0:
        yield "α is 0, so the student only follows the teacher and may forget its own task."
    if spec.method.name == "bird" and spec.method.estimator == "biased" and spec.training.batch_size < 64:
        yield "A batch this small inflates the biased CKA; 128 or the debiased estimator is safer."
    if isinstance(spec.method, MatchingMethod) and len({pair.student for pair in spec.method.pairs}) < len(
        spec.method.pairs
    ):
        yield "One layer of the student is drawn towards several of the teacher's at once."
    if not draft.baseline and method.trains and draft.method != "fine-tuning":
        yield "Without the fine-tuned twin the result can't say what the method added."


def _made(weights: str | None, checkpoints: Mapping[str, Weights]) -> Any:
    found = checkpoints.get(weights or "")
    return found.provenance if found else None
