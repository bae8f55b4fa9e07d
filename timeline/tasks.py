"""Makes the timeline's kinds of background work known to workers."""

from timeline.services import movies  # noqa: F401  (registers its ledger kinds)
