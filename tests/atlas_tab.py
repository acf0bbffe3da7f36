"""What a test asks of the atlas in a browser's tab."""

import base64
from pathlib import Path
from typing import Any

import torch

from symscope.report.atlas import atlas


def written(view: dict[str, Any], folder: Path) -> Path:
    path = folder / "atlas.html"
    path.write_text(atlas(view), encoding="utf8")
    return path


def settled(tab) -> None:
    """Waits until the page has seen what came into sight, or another colour scheme."""
    tab.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")


def text(tab, name: str) -> str:
    return tab.locator(f"[data-view={name}]").inner_text().replace("\u00a0", " ")


def count(tab) -> str:
    return tab.locator("#count").text_content()


def tile(tab, layer: int, neuron: int):
    return tab.locator(f".tile[data-neuron='{layer}.{neuron}']")


def tiles(tab) -> list[str]:
    return tab.locator(".tile").evaluate_all("all => all.map((t) => t.dataset.neuron)")


PIXELS = """canvas => {
    const copy = Object.assign(document.createElement("canvas"),
                               {width: canvas.width, height: canvas.height});
    const context = copy.getContext("2d", {willReadFrequently: true});
    context.drawImage(canvas, 0, 0);
    const bytes = context.getImageData(0, 0, copy.width, copy.height).data;
    let packed = "";
    for (let i = 0; i < bytes.length; i += 8192) {
        packed += String.fromCharCode(...bytes.subarray(i, i + 8192));
    }
    return btoa(packed);
}"""


def pixels(canvas) -> torch.Tensor:
    """What a canvas shows, (row, column, red green blue alpha)."""
    found = torch.tensor(list(base64.b64decode(canvas.evaluate(PIXELS))))
    side = round((len(found) / 4) ** 0.5)
    return found.reshape(side, side, 4)


def lightness(colours: torch.Tensor) -> torch.Tensor:
    return (colours[..., :3].double() / 255) ** 2.2 @ torch.tensor([0.21, 0.72, 0.07]).double()
