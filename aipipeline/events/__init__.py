"""Live events: small facts, published on commit, to topics whose permission is checked.

`publish` is the only way out; `register_topic` says who may listen. No models live here.
"""

from aipipeline.events.publishing import publish, publish_progress
from aipipeline.events.topics import may_subscribe, register_topic

__all__ = ["may_subscribe", "publish", "publish_progress", "register_topic"]
