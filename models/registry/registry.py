"""Registering models and choosing the champion.

A registered version is one MLflow run (parameters, metrics, tags, plots, the hash of its data), the model's files
with their listing, and the tags the choice of a champion goes by. Nothing is pickled. What comes back was checked
against the digest in the registry before anything parses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from features.errors import ModelError
from models.digest import digest_of, verified, with_listing
from models.registry.events import EVENTS, Event, text_of
from models.registry.package import PACKAGE
from models.registry.tracking import RegisteredVersion, Tracking, day_of
from models.runs import Child
from models.signature import SIGNATURE, key_from, require_signature, signature_of

CHAMPION, CHALLENGER = "champion", "challenger"
"""Aliases for people and tools that look into MLflow themselves: the newest version in use; a newer one that is not."""

_NAME = re.compile(r"\w[\w .-]{0,199}")


def registry_in(output: Path, environ: Mapping[str, str]) -> Registry:
    """Return the registry ``MLFLOW_TRACKING_URI`` names, or else the one inside the folder ``output``.

    The one inside ``output`` is an SQLite file ``mlflow.db`` with its artefacts in ``mlartifacts``; artefacts lie
    there too when the variable names a database. A server keeps its own.
    """
    uri = environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{output.absolute() / 'mlflow.db'}"
    artifacts = None if uri.startswith(("http://", "https://")) else output / "mlartifacts"
    return Registry(uri, artifacts, key=key_from(environ))


class Registry:
    """Registered models at ``tracking_uri``.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///…``, ``postgresql://…`` or the address of an MLflow server.
    artifact_root : Path or None
        Folder for files and plots; None leaves the place to the server.
    key : bytes or None
        Signs what is registered; with it, what comes back must carry its signature.
    """

    def __init__(self, tracking_uri: str, artifact_root: Path | None, *, key: bytes | None = None) -> None:
        self._key = key
        self._tracking = Tracking(tracking_uri, artifact_root)

    def register(
        self,
        model_files: Mapping[str, bytes],
        *,
        name: str,
        digest: str,
        tags: Mapping[str, str],
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        plots: Mapping[str, bytes],
        signature_features: Sequence[str],
        data_digest: str,
        documents: Mapping[str, bytes] = MappingProxyType({}),
        children: Sequence[Child] = (),
    ) -> RegisteredVersion:
        """Store a model and return its version; the same digest, recipe and cutoff again return the one there is.

        Parameters
        ----------
        model_files : mapping of plain file name to content [bytes]
        name : str
            Name of the registered model and of its experiment: letters, digits, space, ``.``, ``_``, ``-``.
        digest : str
            ``models.digest.digest_of(model_files)``.
        tags : mapping
            At least ``cutoff`` (trained for, ISO date) and ``recipe``. ``models.registry.events.EVENTS`` says whether
            it goes into use: the version and its place in use are written in one step.
        parameters, metrics : mapping
            Logged as they are; values of parameters as text.
        plots : mapping of file name to content [bytes]
        signature_features : sequence of str
            Columns the model reads, each float64.
        data_digest : str
            Digest of the rows it learned from.
        documents : mapping of file name (``*.md``) to content [bytes], optional
            What people read about the model; kept in its folder, under the digest of the whole folder.
        children : sequence of Child, optional
            Runs below this one: its folds, its trials.

        Raises
        ------
        ModelError
            If ``digest`` is not that of the files, a tag is missing, or MLflow does not take it.
        """
        _check_registration(model_files, name=name, digest=digest, tags=tags)
        all_tags = {**tags, "digest": digest, "data_digest": data_digest}
        with self._tracking.one_line_errors():
            version = _same(self.versions(name), all_tags)
            if version is None:
                with self._tracking.run(name, all_tags) as run:
                    self._tracking.log_facts(run, parameters, metrics, plots)
                    self._tracking.log_dataset(run, name=name, data_digest=data_digest)
                    self._tracking.log_children(run, children, all_tags)
                    listed = with_listing(model_files)
                    stored, package = self._tracking.store(
                        run, listed, signature_features, digest=digest, documents=documents
                    )
                    seal = self._seal(name, {**all_tags, PACKAGE: package})
                    version = self._tracking.add_version(run, name, stored, {**all_tags, **seal})
            self._set_aliases(name)
        return version

    def put(
        self, versions: Sequence[RegisteredVersion], state: Literal["in", "out"], *, on: date, by: str, why: str
    ) -> None:
        """Put versions into use or take them out from the day ``on``; earlier days find what they found before."""
        with self._tracking.one_line_errors():
            for version in versions:
                before = version.events
                log = (
                    (Event(on=version.cutoff, state="in", by="treue", why="before the log"),)
                    if before is None
                    else before
                )
                self._tracking.set_tag(version, EVENTS, text_of([*log, Event(on=on, state=state, by=by, why=why)]))
            for name in sorted({version.name for version in versions}):
                self._set_aliases(name)

    def _set_aliases(self, name: str) -> None:
        """Point the aliases at what is in use after the last entry of every log."""
        versions = self.versions(name)
        used = max((one for one in versions if one.in_use_on(date.max)), key=_age, default=None)
        newest = max(versions, key=_age)
        for alias, version in ((CHAMPION, used), (CHALLENGER, None if used == newest else newest)):
            if version is None:
                self._tracking.drop_alias(name, alias)
            else:
                self._tracking.set_alias(version, alias)

    def _seal(self, name: str, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return the tags that guard the version: the digest of its folder and, with a key, the signature."""
        facts = {"name": name, **{tag: tags[tag] for tag in ("cutoff", "recipe", "digest", PACKAGE)}}
        signed = {} if self._key is None else {SIGNATURE: signature_of(facts, self._key)}
        return {PACKAGE: tags[PACKAGE], **signed}

    def champion(self, name: str, *, cutoff: date, recipe: str, not_before: date) -> Mapping[str, bytes] | None:
        """Return the verified files of :meth:`champion_version`, or None when no version fits.

        Raises
        ------
        ModelError
            If the files are not those that were registered, or MLflow does not answer.
        """
        chosen = self.champion_version(name, cutoff=cutoff, recipe=recipe, not_before=not_before)
        return None if chosen is None else self.files(chosen)

    def champion_version(self, name: str, *, cutoff: date, recipe: str, not_before: date) -> RegisteredVersion | None:
        """Return the newest version in use with ``not_before <= trained cutoff <= cutoff`` and ``recipe``, or None.

        Newest by trained cutoff, then by version number. A version trained for a later cutoff does not exist for
        an earlier one, nor does a promotion or roll-back of a later day: a run with a past cutoff finds what it would
        have found on that morning.
        """
        return max(self.in_use(name, cutoff=cutoff, recipe=recipe, not_before=not_before), key=_age, default=None)

    def in_use(
        self, name: str, *, cutoff: date, recipe: str, not_before: date = date.min
    ) -> tuple[RegisteredVersion, ...]:
        """Return the versions of ``recipe`` that were promoted and not taken out by ``cutoff``, oldest first."""
        found = (version for version in self.versions(name) if version.recipe == recipe)
        return tuple(sorted((one for one in found if one.in_use_on(cutoff) and not_before <= one.cutoff), key=_age))

    def versions(self, name: str) -> tuple[RegisteredVersion, ...]:
        """Return every version registered under ``name`` that carries Treue's tags, oldest number first."""
        _check_name(name)
        with self._tracking.one_line_errors():
            return tuple(sorted(self._tracking.search(name), key=lambda version: version.version))

    def files(self, version: RegisteredVersion) -> Mapping[str, bytes]:
        """Return the files of a version after checking its signature, and each of them against the digest.

        Raises
        ------
        ModelError
            If the signature is not ours, a file is missing, added or changed, or they cannot be fetched.
        """
        require_signature(version.signed_facts(), version.signature, self._key, where=version.label)
        with self._tracking.one_line_errors():
            stored, is_whole = self._tracking.fetch(version)
        files = verified(stored, digest=version.digest, where=version.label)
        _require_whole(is_whole, version)
        return files

    def documents(self, version: RegisteredVersion) -> Mapping[str, bytes]:
        """Return what people read about a version (its model card), checked like its files.

        Raises
        ------
        ModelError
            If the signature is not ours, anything in the folder was changed, or it cannot be fetched.
        """
        require_signature(version.signed_facts(), version.signature, self._key, where=version.label)
        with self._tracking.one_line_errors():
            found, is_whole = self._tracking.documents(version)
        _require_whole(is_whole, version)
        return found


def _require_whole(is_whole: bool, version: RegisteredVersion) -> None:
    if not is_whole:
        raise ModelError(
            f"{version.label}: something beside its files was added, taken away or changed; restore the folder or"
            " train again"
        )


def _check_registration(files: Mapping[str, bytes], *, name: str, digest: str, tags: Mapping[str, str]) -> None:
    _check_name(name)
    actual = digest_of(files)
    if actual != digest:
        raise ModelError(f"digest {digest[:12]!r} is not that of the files ({actual[:12]}); use digest_of(files)")
    missing = [tag for tag in ("cutoff", "recipe") if not tags.get(tag)]
    if missing:
        raise ModelError(f"model {name!r} cannot be registered without the tag {missing[0]!r}; add it")
    if day_of(tags["cutoff"]) is None:
        raise ModelError(f"tag cutoff of model {name!r}: expected YYYY-MM-DD, got {tags['cutoff']!r}")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ModelError(f"model name {name!r}: use letters, digits, spaces, '.', '_' and '-' only")


def _same(versions: Sequence[RegisteredVersion], tags: Mapping[str, str]) -> RegisteredVersion | None:
    wanted = (tags["digest"], tags["recipe"], day_of(tags["cutoff"]))
    return next((one for one in versions if (one.digest, one.recipe, one.cutoff) == wanted), None)


def _age(version: RegisteredVersion) -> tuple[date, int]:
    return version.cutoff, version.version
