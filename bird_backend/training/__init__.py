"""The one training loop, and what it resumes from."""

from bird_backend.training.batch import Batch
from bird_backend.training.checkpoint import Checkpoint, Origin, load_checkpoint, save_checkpoint, where_taken
from bird_backend.training.device import choose_device, prepare, training_mode
from bird_backend.training.loop import Observer, steps_of, train
from bird_backend.training.method import TransferMethod
from bird_backend.training.optimiser import build_optimiser
from bird_backend.training.source import Source
from bird_backend.training.task import Classification, Task

__all__ = [
    "Batch",
    "Checkpoint",
    "Classification",
    "Observer",
    "Origin",
    "Source",
    "Task",
    "TransferMethod",
    "build_optimiser",
    "choose_device",
    "load_checkpoint",
    "prepare",
    "save_checkpoint",
    "steps_of",
    "train",
    "training_mode",
    "where_taken",
]
