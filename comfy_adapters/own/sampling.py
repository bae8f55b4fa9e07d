"""Samplers and what they are fed: prompts, seeds, steps, guidance, the model behind them."""

from collections import deque
from collections.abc import Iterable

from django.utils.translation import gettext as _

from comfy_adapters.own.finds import Find, Finds, Sure
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.tracing import Spot, Tracer

_TEXTS = ("text", "prompt", "t5xxl", "text_g", "text_positive", "value", "string")
_SETTINGS = (
    ("steps", ("steps",)),
    ("cfg", ("cfg", "video_cfg")),
    ("sampler", ("sampler_name",)),
    ("scheduler", ("scheduler",)),
    ("denoise", ("denoise",)),
)
_OFF = ("disable", False)
_CONDITIONING = ("conditioning", "text_embeds", "conditioning_1", "conditioning_to", "cond", "cond1")


def samplers(tracer: Tracer) -> list[str]:
    """Nodes that sample, those that begin first."""
    return sorted((key for key in tracer.nodes if _samples(tracer, key)), key=lambda key: tracer.rank[key])


def _samples(tracer: Tracer, key: str) -> bool:
    inputs, kind = tracer.inputs(key), tracer.kind(key)
    if is_link(inputs.get("latent_image")) and ("positive" in inputs or "guider" in inputs or "Sampler" in kind):
        return True
    return "steps" in inputs and ("seed" in inputs or "noise_seed" in inputs)


def helpers(tracer: Tracer, sampler: str) -> list[str]:
    """The sampler itself and the nodes that hold a part of its settings: noise, guider, schedule, sampler choice."""
    found = [sampler]
    for name in ("noise", "guider", "sampler", "sigmas"):
        value = tracer.inputs(sampler).get(name)
        for _step in range(6):  # sigmas may pass a splitter
            if not is_link(value) or value[0] in found:
                break
            found.append(value[0])
            value = tracer.inputs(value[0]).get(name)
    return found


def find_prompts(tracer: Tracer, finds: Finds) -> None:
    """Prompts of every node that guides a sampler, by walking up from its conditionings."""
    seen: dict[str, set[str]] = {"positive_prompt": set(), "negative_prompt": set()}
    for sampler in samplers(tracer):
        for key in helpers(tracer, sampler):
            inputs = tracer.inputs(key)
            for name, slot in (("positive", "positive_prompt"), ("negative", "negative_prompt")):
                _walk(tracer, finds, inputs.get(name), slot, key, seen[slot])
            if "positive" not in inputs:
                for name in _CONDITIONING:
                    _walk(tracer, finds, inputs.get(name), "positive_prompt", key, seen["positive_prompt"])
    for key in tracer.nodes:  # packs whose one node takes both
        for name in ("positive_prompt", "negative_prompt"):
            _literal_text(tracer, finds, key, name, name, _("The input is called so."))
    _motion(tracer, finds)
    if not finds.has("positive_prompt"):
        _by_itself(tracer, finds)


def _walk(tracer: Tracer, finds: Finds, start: object, slot: str, sampler: str, seen: set[str]) -> None:
    """Follow conditionings upwards from one input of a guiding node until a text; nowhere twice (`seen`)."""
    side = slot.removesuffix("_prompt")
    waiting = deque([start])
    while waiting:
        link = waiting.popleft()
        if not is_link(link) or link[0] in seen:
            continue
        key = str(link[0])
        seen.add(key)
        inputs, kind = tracer.inputs(key), tracer.kind(key)
        if kind == "ConditioningZeroOut" and side == "negative":
            continue  # an empty one on purpose: there is no negative prompt
        if names := _text_inputs(tracer, key):
            why = _("It feeds %(side)s of %(node)s.") % {"side": side, "node": tracer.named(sampler)}
            for name in names:
                _literal_text(tracer, finds, key, name, slot, why)
            continue
        if side in inputs:
            waiting.append(inputs[side])
        else:
            waiting.extend(value for name, value in inputs.items() if name.startswith(_CONDITIONING))


def _text_inputs(tracer: Tracer, key: str) -> list[str]:
    inputs, kind = tracer.inputs(key), tracer.kind(key)
    if not ("clip" in inputs or "Encode" in kind or kind.startswith(("Primitive", "String"))):
        return []
    names = [name for name in _TEXTS if isinstance(inputs.get(name), str) or is_link(inputs.get(name))]
    if "t5xxl" in names:
        return [name for name in ("clip_l", "t5xxl") if name in inputs]
    if "text_g" in inputs:
        return [name for name in ("text_g", "text_l") if name in inputs]
    return names[:1]


def _literal_text(tracer: Tracer, finds: Finds, key: str, name: str, slot: str, why: str) -> None:
    spot = tracer.literal(key, name)
    if spot is not None and isinstance(tracer.value(spot), str):
        finds.add(Find(slot, spot.node, spot.input, Sure.TRACED, _way(why, spot)))


def _motion(tracer: Tracer, finds: Finds) -> None:
    for key in tracer.nodes:
        link = tracer.inputs(key).get("positive_pose")
        if is_link(link):
            for name in _text_inputs(tracer, link[0]):
                why = _("It feeds %(side)s of %(node)s.") % {"side": "positive_pose", "node": tracer.named(key)}
                _literal_text(tracer, finds, link[0], name, "motion_prompt", why)


def _by_itself(tracer: Tracer, finds: Finds) -> None:
    """No sampler led to a prompt: take texts by their titles, or the only one that there is."""
    encoders = [key for key in tracer.nodes if "clip" in tracer.inputs(key) and _text_inputs(tracer, key)]
    for key in encoders:
        title = tracer.title(key).lower()
        if "negative" in title or "positive" in title or len(encoders) == 1:
            slot = "negative_prompt" if "negative" in title else "positive_prompt"
            spot = tracer.literal(key, _text_inputs(tracer, key)[0])
            if spot is not None and isinstance(tracer.value(spot), str):
                finds.add(Find(slot, spot.node, spot.input, Sure.LIKELY, _("A text encoder that no sampler led to.")))


def find_seeds(tracer: Tracer, finds: Finds) -> None:
    """Every seed that makes noise; each after the first gets one of its own by an offset."""
    order = [key for sampler in samplers(tracer) for key in helpers(tracer, sampler)]
    offset = len(finds.of("seed"))
    for key in dict.fromkeys([*order, *tracer.nodes]):
        inputs = tracer.inputs(key)
        for name in ("seed", "noise_seed"):
            if name not in inputs or inputs.get("add_noise") in _OFF:
                continue
            spot = tracer.literal(key, name)
            if spot is None or not isinstance(tracer.value(spot), int) or finds.taken(spot.node, spot.input):
                continue
            why = _("It seeds %(node)s.") % {"node": tracer.named(key)}
            finds.add(Find("seed", spot.node, spot.input, Sure.TRACED, _way(why, spot), offset=offset))
            offset += 1


def find_settings(tracer: Tracer, finds: Finds) -> None:
    """Steps, CFG, sampler, scheduler and denoise: of the first stage, and of every other that has the same value."""
    stages = samplers(tracer)
    holders = list(dict.fromkeys(key for sampler in stages for key in helpers(tracer, sampler)))
    for slot, names in _SETTINGS:
        spots = [
            spot
            for key in holders
            for name in names
            if (spot := tracer.literal(key, name)) is not None and not isinstance(tracer.value(spot), list)
        ]
        _same(tracer, finds, slot, spots)
    _split(tracer, finds, stages)


def _same(tracer: Tracer, finds: Finds, slot: str, spots: Iterable[Spot]) -> None:
    main: object = None
    for spot in spots:
        value = tracer.value(spot)
        if main is None:
            main = value
        if value == main:
            why = _("A setting of %(node)s.") % {"node": tracer.named(spot.node)}
            finds.add(Find(slot, spot.node, spot.input, Sure.TRACED, _way(why, spot)))


def _split(tracer: Tracer, finds: Finds, stages: list[str]) -> None:
    """Where one expert hands over to the other: the end of the first is the beginning of the second."""
    for key in stages:
        inputs = tracer.inputs(key)
        noisy = inputs.get("add_noise") not in _OFF
        name = "end_at_step" if noisy and inputs.get("return_with_leftover_noise") == "enable" else "start_at_step"
        if name not in inputs or (name == "start_at_step" and noisy):
            continue
        spot = tracer.literal(key, name)
        if spot is not None and isinstance(tracer.value(spot), int):
            why = _("The step at which one sampler hands over to the next.")
            finds.add(Find("split_step", spot.node, spot.input, Sure.TRACED, _way(why, spot)))


def model_loaders(tracer: Tracer) -> dict[str, list[str]]:
    """The nodes that load what the samplers run on, by name of their chain: `model`, or `high` and `low`."""
    chains: list[tuple[bool, str]] = []
    known: set[str] = set()
    for sampler in samplers(tracer):
        noisy = tracer.inputs(sampler).get("add_noise") not in _OFF
        for key in helpers(tracer, sampler):
            loader = _loader_of(tracer, tracer.inputs(key).get("model"))
            if loader is not None and loader not in known:
                known.add(loader)
                chains.append((noisy, loader))
    if len(chains) == 2 and [noisy for noisy, _loader in chains] == [True, False]:
        return {"high": [chains[0][1]], "low": [chains[1][1]]}
    return {"model": [loader for _noisy, loader in chains]} if chains else {}


def _loader_of(tracer: Tracer, link: object) -> str | None:
    for _step in range(64):
        if not is_link(link):
            return None
        key = str(link[0])
        inputs = tracer.inputs(key)
        following = inputs.get("model")
        if not is_link(following):
            return key if any(isinstance(value, str) for value in inputs.values()) else None
        link = following
    return None


def _way(why: str, spot: Spot) -> str:
    return f"{why} ({spot.way})" if spot.way else why
