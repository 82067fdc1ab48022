"""Reading YAML that people write, with one clear line for every way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from features.errors import ConfigError

LARGEST_BYTES = 1 << 20
DEEPEST = 32


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses aliases, duplicate keys and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _problem(self._mark(), "aliases are not allowed", "write the value out")
        self.depth += 1
        if self.depth > DEEPEST:
            raise _problem(self._mark(), f"nested deeper than {DEEPEST} levels", "flatten it")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _mark(self) -> yaml.Mark:
        mark: yaml.Mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        return mark

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _problem(key.start_mark, "a key is not plain text", "write `key: value`")
            if key.value in seen:
                raise _problem(key.start_mark, f"key `{key.value}` appears twice", "keep one")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _problem(mark: yaml.Mark | None, problem: str, advice: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark, note=advice)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises
    ------
    ConfigError
        If the file is missing, unreadable, too large or too deep, no YAML mapping, or has aliases, tabs as
        indentation or a key twice; the line is named.
    """
    text = _text(path)
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_explained(path, error)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not readable as YAML ({error}); correct it") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values such as `name: my-company`, got {_kind(content)}")
    return {str(key): value for key, value in content.items()}


def own_text(path: str, *, key: str) -> str:
    """Return the text of a YAML file of the company's own, which ``key`` of the configuration names.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error}); give a YAML file in UTF-8") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; check --config, or write one with `treue init`") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a YAML file") from error
    if len(data) > LARGEST_BYTES:
        raise ConfigError(f"{path}: larger than {LARGEST_BYTES} bytes; that is no configuration, check --config")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path} line {line}: not UTF-8 text; save the file as UTF-8") from error


def _kind(content: object) -> str:
    return "an empty file" if content is None else f"a {type(content).__name__}"


def _explained(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = f" line {mark.line + 1}" if mark else ""
    problem = error.problem or "cannot be parsed"
    if "'\\t'" in problem:
        return f"{path}{line}: a tab is used for indentation; use spaces"
    return f"{path}{line}: {problem}; {error.note or 'check indentation, colons and quotes there'}"
