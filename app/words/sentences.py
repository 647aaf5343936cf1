"""What a transfer will do, or did, in sentences: its method, whose weights it begins with, and its control."""

from __future__ import annotations

from bird_backend.experiments import TransferSpec
from bird_backend.specs import CONTROLS
from bird_backend.transfer import METHODS, MatchingSettings, StartingSettings

__all__ = ["control_sentence", "method_sentence", "start_sentence"]


def start_sentence(spec: TransferSpec) -> str:
    """Whose weights training begins with, and what was done where the method's usual start is not to be had."""
    method, own = spec.method, _students_own(spec)
    if not METHODS[method.name].trains:
        return "Nothing is trained: the student is measured as it is."
    if spec.start == "teacher":
        whose = "the teacher's random weights" if spec.teacher.weights is None else "the teacher's weights"
        return f"Training begins with {whose} and a new head for the student's classes."
    if isinstance(method, StartingSettings) and method.start == "auto":
        teacher, student = (ref.network_title for ref in (spec.teacher, spec.student))
        done = METHODS[method.name].done
        return f"The architectures differ ({teacher}, {student}), so {own} are {done} instead of the teacher's."
    return f"Training begins with {own}."


def _students_own(spec: TransferSpec) -> str:
    return "random weights" if spec.student.weights is None else "the student's own weights"


def control_sentence(spec: TransferSpec) -> str | None:
    """That this is a control and what it is for; none for a transfer from a teacher as it is."""
    if spec.control == "none":
        return None
    control = CONTROLS[spec.control]
    return f"This is a control: {control.title[0].lower()}{control.title[1:]}. {control.caption}"


def method_sentence(spec: TransferSpec) -> str:
    """What happens to the student."""
    method, facts = spec.method, METHODS[spec.method.name]
    teacher, student = (ref.network_title for ref in (spec.teacher, spec.student))
    epochs = f"{spec.training.epochs} epoch{'s' if spec.training.epochs > 1 else ''}"
    if isinstance(method, MatchingSettings):
        pairs = " and ".join(f"**{pair.student}** after the teacher's **{pair.teacher}**" for pair in method.pairs)
        return f"{facts.title} forms the student's ({student}) {pairs} ({teacher}) for {epochs}."
    if not facts.trains:
        return f"The student ({student}) is only measured: the floor for all others."
    if facts.needs_teacher:
        return f"The student ({student}) follows what the teacher ({teacher}) says of its images for {epochs}."
    network = teacher if spec.start == "teacher" else student
    changed = f" on images {spec.behaviour.behaviour.words.changed} at random" if facts.under_conditions else ""
    return f"{facts.title}: the network ({network}) goes on training{changed} for {epochs}, without a teacher's say."
