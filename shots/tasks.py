"""Makes the shot list's kinds of background work known to workers."""

from shots.api import scenarios  # noqa: F401  (registers its ledger kind)
