"""Configuration files and texts shipped with Treue; read them with ``importlib.resources.files("configs")``."""
