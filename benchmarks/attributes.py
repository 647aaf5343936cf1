"""What it takes to score a teacher: all layers of a small network, 5,000 images × 19 corruptions × 5 severities.

    python -m benchmarks.attributes
    python -m benchmarks.attributes --images 500 --threads 1 --model cnn-small

The embedded clothing's training images are cut in two, `--images` to score on and the rest to fit probes to, in a home
of its own. Prints wall and processor seconds of changing the images, of a teacher and of the same network with random
weights (forward passes, probes, reductions), of all scores of every layer for a student, and of the same when all is
kept; then what is kept in MB, and probes beside scikit-learn's `LogisticRegression` at the same penalty.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.machine import describe
from bird_backend.attributes import LayerProfile, score_layer, score_pair
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.datasets import Dataset, Split, load_dataset
from bird_backend.evaluation import layer_features
from bird_backend.experiments.networks import frozen
from bird_backend.experiments.profiles import Profiles
from bird_backend.runs.feature_cache import list_features
from bird_backend.runs.identity import Identity, code_version
from bird_backend.specs import ModelRef


@contextmanager
def timed(what: str) -> Iterator[None]:
    wall, processor = time.perf_counter(), time.process_time()
    yield
    print(f"{what:42} {time.perf_counter() - wall:8.1f} s  {time.process_time() - processor:8.1f} processor s")


def recut(data: Dataset, images: int) -> Dataset:
    """The training images as held-out ones, the first `images`, and training ones."""
    train = data.train
    parts = (slice(0, images), slice(images, None))
    held_out, rest = (Split(images=train.images[rows], labels=train.labels[rows]) for rows in parts)
    return replace(data, train=rest, validation=held_out)


def profiles_on(data: Dataset, images: int) -> Profiles:
    identity = Identity(spec="", recipe="", weights=(), data="benchmark", networks=(), folders=(), code=code_version())
    settings = BEHAVIOURS.find("corruptions").settings(name="corruptions")
    device = torch.device("cpu")
    return Profiles.on(
        data, settings, identity=identity, seed=0, device=device, images=images, training_images=len(data.train)
    )


def compare_probes(profiles: Profiles, teacher: ModelRef, found: dict[str, LayerProfile]) -> None:
    """Accuracy on the held-out images, in points, ours and scikit-learn's."""
    network = frozen(teacher, role="teacher", data=profiles.data, seed=0, device=torch.device("cpu"))
    features = layer_features(network, profiles.data.train.images[profiles.train.rows], tuple(found))
    labels, expected = profiles.train.labels.numpy(), profiles.labels.numpy()
    for layer, profile in found.items():
        probe = profile.probe
        standardised = probe.scale.standardise(features[layer]).numpy()
        theirs = LogisticRegression(C=probe.C, max_iter=5000, tol=1e-6).fit(standardised, labels)
        said = theirs.score(probe.scale.standardise(profile.responses.clean).numpy(), expected)
        ours = float((profile.predicted.numpy() == expected).mean())
        print(f"{layer:10} C = {probe.C:<8g} {100 * ours:6.2f} %   scikit-learn {100 * said:6.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet-narrow")
    parser.add_argument("--weights", default="digits-robust-teacher", help="empty: random ones")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(describe(), f"{arguments.threads} threads, load {os.getloadavg()[0]:.0f}")
    with tempfile.TemporaryDirectory() as home:
        os.environ["BIRD_HOME"] = home
        profiles = profiles_on(recut(load_dataset("fashion-mnist-small"), arguments.images), arguments.images)
        teacher = ModelRef(model=arguments.model, weights=arguments.weights or None)
        student = ModelRef(model="resnet-narrow", weights="fashion-student")
        network = frozen(teacher, role="teacher", data=profiles.data, seed=0, device=torch.device("cpu"))
        layers = profiles.layers_of(teacher, tuple(name for name, _ in network.named_children())[:5], "teacher")
        print(
            f"{arguments.model}, layers {', '.join(layers)}; {len(profiles.held_out):,} images scored on,"
            f" {len(profiles.train):,} fitted to"
        )
        with timed("changing the images, 95 cells"):
            for cell in profiles.changed.cells:
                profiles.changed.make(cell)
        with timed("the teacher"):
            found = profiles.of(teacher, layers, "teacher")
        with timed("the same with random weights"):
            chance = profiles.of(ModelRef(model=arguments.model), layers, "teacher")
        guided = profiles.of(student, ("block2",), "student")["block2"]
        with timed("scores of both, every layer and option"):
            for profile in (*found.values(), *chance.values()):
                score_layer(profile, profiles.labels)
                score_pair(profile, guided, profiles.labels)
        with timed("the teacher again, kept"):
            profiles.of(teacher, layers, "teacher")
        for kept in list_features():
            print(f"kept: {kept.part} {kept.network} {kept.bytes / 1e6:.1f} MB")
        compare_probes(profiles, teacher, found)


if __name__ == "__main__":
    main()
