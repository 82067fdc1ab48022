"""The model as MLflow serves it: this file is stored beside the model's files and runs when MLflow loads them.

It holds code, never a pickle: what the model knows is in its files, which are checked against their digest first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from models.digest import verified
from models.registry.package import PREDICTED


class PyfuncModel(PythonModel):
    """A registered model behind MLflow's interface, for serving, Spark or a notebook without Treue's settings."""

    def load_context(self, context: Any) -> None:
        """Check the files against the digest noted at registration, then build the model from them."""
        from models.churn_model import ChurnModel

        stored = {path.name: path.read_bytes() for path in Path(context.artifacts["files"]).iterdir()}
        digest = context.model_config["digest"]
        self._model = ChurnModel.from_files(verified(stored, digest=digest, where="the MLflow model"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return score, probability and its bounds for each row of ``model_input``; its columns are the features."""
        del context, params
        return self._model.score(model_input)[list(PREDICTED)]


set_model(PyfuncModel())
