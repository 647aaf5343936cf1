"""Studies: one transfer in several variants with the same seeds and budget, queued at once and read as one table.

`plan_methods` and `plan_ablation` check a study whole; `submit_study` queues it; `list_studies` and `read_study` find
it again; `runs_of` and `states_of` say how its runs are; `results` makes its table of what is done. No torch here.
"""

from bird_backend.studies.ablations import ABLATIONS, Ablation, plan_ablation
from bird_backend.studies.entries import Entry, Remark, Row
from bird_backend.studies.plan import MAX_SEEDS, entrants, plan_methods
from bird_backend.studies.rendering import say
from bird_backend.studies.store import (
    begin_study,
    find_study_of,
    list_studies,
    note_run,
    read_study,
    resume_study,
    runs_of,
    states_of,
    submit_study,
)
from bird_backend.studies.study import Member, Plan, Role, Study, Variant
from bird_backend.studies.table import Results, results

__all__ = [
    "ABLATIONS",
    "MAX_SEEDS",
    "Ablation",
    "Entry",
    "Member",
    "Plan",
    "Remark",
    "Results",
    "Role",
    "Row",
    "Study",
    "Variant",
    "begin_study",
    "entrants",
    "find_study_of",
    "list_studies",
    "note_run",
    "plan_ablation",
    "plan_methods",
    "read_study",
    "results",
    "resume_study",
    "runs_of",
    "say",
    "states_of",
    "submit_study",
]
