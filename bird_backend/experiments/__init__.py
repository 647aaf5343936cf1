"""Every kind of run, a folder each: what can be asked for, and beside it how that is carried out.

A spec is the only way in. Nothing else is read: the same spec, seed and code on the same device give the same run.
"""

from bird_backend.experiments.analyze import AnalyzeSpec
from bird_backend.experiments.declaration import Kind, Report, RunSpec, Shown
from bird_backend.experiments.documents import KINDS, load_spec, override, read_spec, spec_hash
from bird_backend.experiments.evaluate import EvaluateSpec
from bird_backend.experiments.examine import ExamineSpec
from bird_backend.experiments.gallery import GallerySpec
from bird_backend.experiments.inspect import InspectSpec
from bird_backend.experiments.pretrain import PretrainSpec
from bird_backend.experiments.rank import Candidate, RankSpec
from bird_backend.experiments.record import RecordSpec
from bird_backend.experiments.robustify import RobustifySpec
from bird_backend.experiments.transfer import TransferSpec

__all__ = [
    "KINDS",
    "AnalyzeSpec",
    "Candidate",
    "EvaluateSpec",
    "ExamineSpec",
    "GallerySpec",
    "InspectSpec",
    "Kind",
    "PretrainSpec",
    "RankSpec",
    "RecordSpec",
    "Report",
    "RobustifySpec",
    "RunSpec",
    "Shown",
    "TransferSpec",
    "load_spec",
    "override",
    "read_spec",
    "spec_hash",
]
