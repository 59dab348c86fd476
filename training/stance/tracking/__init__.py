"""Trainings and models in MLflow; nothing outside this package imports it."""

from __future__ import annotations

import logging
import os
import warnings

# Read when mlflow is imported, which every module of this package does after this one. A user's own
# choice stays.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

# MLflow prints advice for notebook users in the middle of a training.
warnings.filterwarnings("ignore", module=r"mlflow\.")
for _noisy in ("mlflow", "alembic"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)
