"""What was tried to find the settings: one hypernetwork for each change, trained and read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, wilson
from symscope.generate.files import load_hypernetwork
from symscope.generate.sampling import sampled
from symscope.jobs import Unit
from symscope.studies.hypernetworks.networks import trained, weights_file
from symscope.studies.hypernetworks.reading import CLASSES, named
from symscope.studies.hypernetworks.settings import PRESETS, TARGET, TRIED
from symscope.tasks.functions import function


def tried_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train with settings that are tried; the loss, KL and algorithms that it came to."""
    _, slug, seed_text = unit
    preset, seed = PRESETS[settings["preset"]], int(seed_text)
    _, changes = TRIED[slug.replace("_", " ")]
    sizes = changes.get("sizes", preset.sizes)
    plan = replace(preset.plan, **{k: v for k, v in changes.items() if k != "sizes"})
    claim = f"hypernetworks.tried.{slug}"
    found = trained(TARGET, sizes, plan, seed, settings, folder, claim, slug)
    module, task = load_hypernetwork(weights_file(folder, slug, seed)), function(TARGET, sizes[0])
    written = [sampled(module, preset.swept, draw) for draw in range(preset.draws)]
    names = [n for w in written for n in named(w.weights.each(), task, preset.quick)]
    nats = max(float(w.nats.max()) for w in written)
    found.append(Evidence(f"{claim}.nats", nats, nats, nats, preset.betas * preset.draws, "nats",
                          {}, [seed], note="the most at any β"))  # fmt: skip
    for name in CLASSES:
        right = names.count(name)
        found.append(Evidence(
            f"{claim}.algorithm.{name}", right / len(names), *wilson(right, len(names)),
            len(names), "share of networks", {}, [seed], note="Wilson interval, one seed",
        ))  # fmt: skip
    return found
