"""The features that a configuration uses: ours and the company's own, with their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from features.catalogue import Catalogue, Group
from features.errors import OutputError
from features.own import own_catalogue
from pipelines.settings import Settings
from retention.own_texts import texts_for


def catalogue_of(settings: Settings, *, root: Path | None = None, groups: Sequence[Group] = ()) -> Catalogue:
    """Return the features in use, after running the files of own features and checking what they declare and say.

    Parameters
    ----------
    settings : Settings
    root : Path, optional
        Where relative paths start; the working directory without it.
    groups : sequence of Group
        Groups made in a notebook.

    Raises
    ------
    ConfigError
        If a file cannot be run, or a group or its texts are not what they must be.
    """
    found = own_catalogue(settings.features, root=root or Path.cwd(), groups=groups, extras={})
    texts_for(found, settings.language)
    return found


def catalogue_of_run(settings: Settings, manifest: Mapping[str, Any]) -> Catalogue:
    """Return the features in use, which must be those that the results in ``manifest`` were made with.

    Raises
    ------
    OutputError
        If features of the company's own, or what is left out, have changed since.
    """
    found = catalogue_of(settings)
    if found.digest != manifest.get("own_features", ""):
        raise OutputError(
            f"the features of your own, or those left out, have changed since the results of {manifest['cutoff']} were"
            " made; run `treue run` with this cutoff again"
        )
    return found
