"""What is wrong with a transfer that is being put together, in words, before it is launched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.backend.named_networks import Look
from app.backend.own_images import Inspection, transfer_problems
from app.backend.weights import Provenance, Weights, trained_for
from app.form.drafts import Draft
from app.form.images import OWN, own_problem
from bird_backend.catalog import title_of
from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.transfer import METHODS, MatchingSettings

__all__ = ["Findings", "Looks", "path_problems", "review"]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What is known of the networks of a transfer."""

    teacher: Look
    student: Look

    @property
    def by_role(self) -> tuple[tuple[str, Look], ...]:
        """Both, with what each is to be."""
        return ("teacher", self.teacher), ("student", self.student)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`problems` and what it `waits_for` keep it from being launched; `notes` are worth knowing."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    waits_for: tuple[str, ...] = ()
    """What has to be found out first, and is being found out."""
    wants_student: bool = False
    """The student is for other classes: one has to be trained on the data first."""

    @property
    def ready(self) -> bool:
        """Whether it can be launched."""
        return not self.problems and not self.waits_for


def review(
    document: Mapping[str, Any],
    draft: Draft,
    known: Mapping[str, Weights],
    own: Inspection | None = None,
    looks: Looks | None = None,
) -> Findings:
    """Look at a draft and the document it makes; `own` is what is known of one's own images, `looks` of networks."""
    problems = [*(path_problems(draft) or _reading_problems(draft, own)), *_network_problems(looks)]
    notes: list[str] = []
    wants_student = False
    try:
        spec = load_spec(document)
    except BirdError as error:
        problems = problems or [str(error)]
    else:
        if isinstance(spec, TransferSpec):
            images = own.images if own and draft.data == OWN else None
            found = transfer_problems(spec, images)
            # A path that leads nowhere, or a network that can't be had, is said already.
            seen = looks is None or all(look.facts is not None for _, look in looks.by_role)
            problems += found.problems if seen and (draft.data != OWN or images) else ()
            if not spec.behaviour.conditions:
                words = spec.behaviour.behaviour.words
                problems.append(
                    f"Choose at least one {words.condition} to test on, or nothing says whether the transfer helped."
                )
            wants_student = found.wants_student
            notes = list(_notes(spec, draft, known))
    return Findings(problems=tuple(problems), notes=tuple(notes), waits_for=_unseen(looks), wants_student=wants_student)


def path_problems(draft: Draft) -> tuple[str, ...]:
    """What is wrong with the path of one's own images, before anything is read there; nothing, mostly."""
    if draft.data != OWN:
        return ()
    problem = own_problem(draft.data_name)
    return () if problem is None else (problem,)


def _reading_problems(draft: Draft, own: Inspection | None) -> Iterator[str]:
    if draft.data != OWN or (own is not None and own.images is not None):
        return
    if own is not None and own.run.state in ("failed", "cancelled"):
        yield f"Your images can't be used: {own.run.reason or 'reading them was stopped.'}"
    else:
        yield "Your images are being read: which student fits depends on their classes."


def _network_problems(looks: Looks | None) -> Iterator[str]:
    for role, look in () if looks is None else looks.by_role:
        if look.problem is not None:
            yield f"The {role} can't be used: what is wrong with its network stands beside it."


def _unseen(looks: Looks | None) -> tuple[str, ...]:
    known = () if looks is None else looks.by_role
    roles = [role for role, look in known if look.problem is None and look.facts is None]
    if not roles:
        return ()
    which = f"The {roles[0]} is" if len(roles) == 1 else "Teacher and student are"
    return (f"{which} being looked at: it isn't known yet which layers there are.",)


def _notes(spec: TransferSpec, draft: Draft, known: Mapping[str, Weights]) -> Iterator[str]:
    made = _made(spec.student.weights, known)
    if made and made.data != spec.data:
        yield (
            f"This student was trained on {title_of(made.data)}, not on {title_of(spec.data)}: its accuracy before the "
            "transfer will be near chance."
        )
    if spec.student.weights is None:
        yield "The student starts from random weights, so this trains it from nothing rather than moving a behaviour."
    method = METHODS[spec.method.name]
    if method.needs_teacher and spec.teacher.weights is None:
        yield "The teacher has random weights: a control, from which nothing should be learned."
    made = _made(spec.teacher.weights, known)
    withstands = trained_for(made) if made else None
    if method.needs_teacher and withstands is not None and withstands.name != spec.behaviour.name:
        yield (
            f"This teacher was trained for {withstands.title.lower()}, and what is measured is "
            f"{spec.behaviour.behaviour.title.lower()}."
        )
    if getattr(spec.method, "beta", None) == 0:
        yield "β is 0, so the teacher has no say: this is fine-tuning under another name."
    if getattr(spec.method, "alpha", None) == 0:
        yield "α is 0, so the student only follows the teacher and may forget its own task."
    if method.remarks is not None:
        yield from method.remarks(spec.method, spec.training)
    if isinstance(spec.method, MatchingSettings) and len({pair.student for pair in spec.method.pairs}) < len(
        spec.method.pairs
    ):
        yield "One layer of the student is drawn towards several of the teacher's at once."
    if not draft.baseline and method.has_twin:
        yield "Without the fine-tuned twin the result can't say what the method added."


def _made(weights: str | None, known: Mapping[str, Weights]) -> Provenance | None:
    found = known.get(weights or "")
    return found.provenance if found else None
