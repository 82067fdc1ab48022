"""The registry of models: the only door to MLflow."""

from models.registry.registry import CHAMPION, Registry, registry_in
from models.registry.tracking import RegisteredVersion

__all__ = ["CHAMPION", "RegisteredVersion", "Registry", "registry_in"]
