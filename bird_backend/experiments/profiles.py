"""Networks' layers as attributes need them: found where they are kept, else computed and kept, by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from bird_backend import catalog
from bird_backend.attributes import ChangedImages, LayerProfile, Sample, profile_network
from bird_backend.behaviours import BehaviourSettings
from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset
from bird_backend.errors import InputError
from bird_backend.experiments.networks import frozen
from bird_backend.models.anatomy import anatomy_of
from bird_backend.runs.feature_cache import FeatureCache, FeatureFolder, content_key
from bird_backend.runs.fingerprints import file_digest
from bird_backend.runs.identity import Identity
from bird_backend.runs.provenance import find_weights
from bird_backend.sources import fingerprint
from bird_backend.specs import ModelRef

__all__ = ["Profiles", "Role"]

Role = Literal["teacher", "student"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Profiles:
    """Of any networks on one data set under one behaviour."""

    data: Dataset
    device: torch.device
    seed: int
    train: Sample
    held_out: Sample
    changed: ChangedImages
    cache: FeatureCache
    facts: dict[str, Any]
    """All that a profile depends on, but the network and its layer."""

    @classmethod
    def on(
        cls,
        data: Dataset,
        behaviour: BehaviourSettings,
        *,
        identity: Identity,
        seed: int,
        device: torch.device,
        images: int,
        training_images: int,
    ) -> Profiles:
        """`identity` is that of the run's spec, which says what the data and folders hold.

        What the behaviour can't do is an `InputError` here.
        """
        count, cache = len(data.classes), FeatureCache()
        train, held_out = (
            Sample.of(split, count, most) for split, most in ((data.train, training_images), (data.validation, images))
        )
        for sample, what in ((train, "training"), (held_out, "validation")):
            if len(torch.bincount(sample.labels).nonzero()) < 2:
                raise InputError(f"The {what} images of {data.name} are of one class; a probe tells several apart.")
        trial = Trial(settings=behaviour, seed=seed)
        trial.check(data.train.take(slice(1)))
        on = {
            "data": identity.data,
            "folders": identity.folders,
            "code": identity.code,
            "size": data.image_size,
            "images": len(held_out),
            "seed": seed,
            "device": device.type,
        }
        kept = behaviour.model_dump(mode="json", exclude={"conditions", "strengths"})
        about = {"name": data.name, "network": "", "images": len(held_out)}
        folder = cache.open("changed", content_key({**on, "behaviour": kept}), about)
        return cls(
            data=data,
            device=device,
            seed=seed,
            train=train,
            held_out=held_out,
            changed=ChangedImages(held_out, trial, folder),
            cache=cache,
            facts={**on, "behaviour": behaviour.model_dump(mode="json"), "training_images": len(train)},
        )

    @property
    def labels(self) -> Tensor:
        """int64 [n] of the held-out images."""
        return self.held_out.labels

    def layers_of(self, ref: ModelRef, layers: Sequence[str], role: Role) -> tuple[str, ...]:
        """These layers of a network; none: those that stand for it, but what is the same once pooled.

        An unknown one is an `UnknownNameError`."""
        network = frozen(ref, role=role, data=self.data, seed=self.seed, device=torch.device("cpu"))
        anatomy = anatomy_of(ref.model, network, self.data.image_size)
        if layers:
            return tuple(anatomy.find(layer) for layer in dict.fromkeys(layers))
        known = catalog.models().get(ref.model)
        same = {} if known is None else known.same_pooled
        return tuple(layer for layer in anatomy.outline if same.get(layer) not in anatomy.outline)

    def of(
        self, ref: ModelRef, layers: Sequence[str], role: Role, progress: Callable[[float], None] | None = None
    ) -> dict[str, LayerProfile]:
        """By layer. Those that aren't kept are computed together, in one pass over the data, and kept."""
        folder = self._folder(ref, role)
        found = {layer: profile for layer in layers if (profile := self._read(folder, layer)) is not None}
        missing = [layer for layer in layers if layer not in found]
        if missing:
            network = frozen(ref, role=role, data=self.data, seed=self.seed, device=self.device)
            made = profile_network(
                network,
                missing,
                train=self.train,
                held_out=self.held_out,
                changed=self.changed,
                classes=len(self.data.classes),
                progress=progress,
            )
            for layer, profile in made.items():
                _keep(folder, layer, profile)
            found |= made
        return {layer: found[layer] for layer in layers}

    def _folder(self, ref: ModelRef, role: Role) -> FeatureFolder:
        network: dict[str, Any] = {"model": ref.model, "code": fingerprint(ref.model)}
        if ref.weights is None:
            network |= {"role": role, "classes": len(self.data.classes)}  # and the seed, which are drawn by
        else:
            network["weights"] = file_digest(find_weights(ref.weights))
        about = {"name": self.data.name, "network": ref.title, "images": len(self.held_out)}
        return self.cache.open("features", content_key({**self.facts, "network": network}), about)

    def _read(self, folder: FeatureFolder, layer: str) -> LayerProfile | None:
        path = folder.find(_file(layer))
        if path is None:
            return None
        try:
            return LayerProfile.from_tensors(safetensors.torch.load_file(path), self.device)
        except (SafetensorError, OSError, KeyError, ValueError):  # damaged, so it is computed again
            return None


def _keep(folder: FeatureFolder, layer: str, profile: LayerProfile) -> None:
    content = safetensors.torch.save(profile.tensors())
    folder.keep(_file(layer), len(content), lambda file: _write(file, content), "Keeping features")


def _write(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def _file(layer: str) -> str:
    return f"{content_key(layer)}.safetensors"
