"""Makes the studio's kinds of background work known to workers."""

from aipipeline.studio import sample_production  # noqa: F401  (registers its ledger kind)
