"""Common corruptions at severities 1 to 5, on whole batches on their own device."""

from bird_backend.corruptions.registry import CORRUPTIONS, Corruption, corrupt, random_corruptions

__all__ = ["CORRUPTIONS", "Corruption", "corrupt", "random_corruptions"]
