"""The registry of models: the only door to MLflow."""

from models.registry.events import EVENTS, Event, text_of
from models.registry.registry import CHALLENGER, CHAMPION, Registry, registry_in
from models.registry.tracking import RegisteredVersion

__all__ = ["CHALLENGER", "CHAMPION", "EVENTS", "Event", "RegisteredVersion", "Registry", "registry_in", "text_of"]
