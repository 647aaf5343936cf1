"""A study: one transfer in several variants, each with the same seeds and budget, to be read as one table."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec

__all__ = ["Member", "Plan", "Role", "Study", "Variant"]

Role = Literal["contender", "floor", "reference", "control", "ceiling"]
"""`floor` is the untouched student, `reference` what gains are over, `ceiling` the Oracle. Control and ceiling are
there to judge the others by: neither can be the best."""


class _Document(BaseModel):
    # Fields of a newer version are passed over rather than refused.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Variant(_Document):
    """One row of the table: what it changes in the base spec, and what it stands for."""

    key: str
    """Unique within its study, of letters, digits and dashes."""
    label: str
    role: Role = "contender"
    method: str
    """The method's name, which is also the model's in a run's predictions and metrics."""
    start: Literal["student", "teacher"] = "student"
    """Whose weights training begins with."""
    control: str = "none"
    over: str | None = None
    """Key of the variant that its gain is over; none where it has no gain."""
    value: float | str | None = None
    """Of what an ablation varies; none in a comparison of methods."""
    overrides: dict[str, Any] = {}
    """Top-level fields of the base spec that it replaces."""


class Plan(_Document):
    """A study that is checked and has not been queued."""

    title: str
    preset: str
    """`methods`, `pairs`, or the name of an ablation."""
    base: dict[str, Any]
    """The transfer's spec that the variants change."""
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    controls: tuple[str, ...] = ()
    """The controls it runs, in the spec's words."""
    axis: str = ""
    """Of an ablation: names the values in a chart."""
    notes: tuple[str, ...] = ()
    """What a reader of its table has to know, such as what was left out and why, in whole sentences."""
    budget_seconds: float | None = None
    """Of its runs together: when they took so long, what was not begun is stopped. None: until all are done."""

    @cached_property
    def by_key(self) -> dict[str, Variant]:
        """The variants by key."""
        return {variant.key: variant for variant in self.variants}

    def variant(self, key: str) -> Variant:
        """The variant of that key."""
        found = self.by_key.get(key)
        if found is None:
            raise InputError(f"The study has no variant {key!r}.")
        return found

    def spec(self, variant: Variant, seed: int) -> TransferSpec:
        """What a member of the study is asked for; a variant that can't be is an `InputError` of one sentence."""
        title = f"{variant.label} · seed {seed} · {self.title}"[:120]
        spec = load_spec(
            self.base | variant.overrides | {"seed": seed, "title": title, "baseline": False, "save_as": None}
        )
        if not isinstance(spec, TransferSpec):
            raise InputError(f"A study is of transfers, and this spec is of kind {spec.kind}.")
        return spec

    @property
    def not_asked(self) -> frozenset[str]:
        """Groups of conditions, `seen` and `held_out`, of which the study tries none."""
        base = load_spec(self.base)
        if not isinstance(base, TransferSpec):
            return frozenset()
        behaviour, tried = base.behaviour.behaviour, set(base.behaviour.conditions)
        groups = {"seen": behaviour.seen, "held_out": behaviour.held_out}
        return frozenset(group for group, conditions in groups.items() if not tried & set(conditions))

    @property
    def asked(self) -> tuple[tuple[Variant, int], ...]:
        """Variant and seed of every run that is needed, in the order they are done: a whole row a seed.

        The untouched student is among the networks of every transfer, so it needs a run only where there is no other.
        """
        trained = tuple(variant for variant in self.variants if variant.role != "floor") or self.variants
        return tuple((variant, seed) for seed in self.seeds for variant in trained)


class Member(_Document):
    """A run of a study; `run` is none for one that a foreground study has not come to."""

    variant: str
    seed: int
    run: str | None = None


class Study(Plan):
    """A plan with the runs that carry it out, as kept in the home's run table."""

    id: str
    created: float
    """Seconds since the epoch."""
    members: tuple[Member, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs there are so far, each once: variants that ask for the same share one."""
        return tuple(dict.fromkeys(member.run for member in self.members if member.run is not None))
