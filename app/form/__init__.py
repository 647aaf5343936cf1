"""The launch form without its widgets: a draft and its spec, what is wrong with it, how long it takes, its command."""

__all__: list[str] = []
