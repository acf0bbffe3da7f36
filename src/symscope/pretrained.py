"""Language models from a Hugging Face folder or hub name, through transformers' own classes."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.extras import needed
from symscope.files import regular, shapes_alone
from symscope.layout import FAMILIES, Layout, layout_of

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MOST_LAYERS = 1000
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class Pretrained:
    """A decoder in evaluation mode, its layout, and its tokenizer where the folder has one."""

    module: nn.Module
    layout: Layout
    tokenizer: Any = None


def pretrained(
    source: str | Path, dtype: str | torch.dtype = "float32", device: str = "cpu",
    layout: Layout | None = None, most: Mapping[Any, Any] | None = None,
) -> Pretrained:  # fmt: skip
    """The model in a folder, or of a name on the hub where there is a network.

    `device` is one device, or "auto", which lets accelerate spread the model over those there are;
    of each it takes what `most` allows, (as accelerate's `max_memory`), and what fits nowhere is
    read from a disk as it is needed.
    Weights are safetensors; code that comes with a model is never run. For a family that is not in
    the table give its `layout`. Raises `SymscopeError` saying what to do.
    """
    transformers = needed("transformers", "a language model")
    if device == "auto":
        needed("accelerate", "a model on several devices")
    _checked(Path(source))
    dtype = _dtype(dtype)
    try:
        config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False)
        _held(source, config)
        placed: dict[str, Any] = {}
        if device == "auto":
            aside = tempfile.mkdtemp(prefix="symscope-")
            placed = {"device_map": device, "max_memory": most and {**most},
                      "offload_folder": aside}  # fmt: skip
        module: Any
        module, told = transformers.AutoModelForCausalLM.from_pretrained(
            source, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True,
            trust_remote_code=False, **placed,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SymscopeError(f"{source}: {error}") from None
    except torch.cuda.OutOfMemoryError:
        raise SymscopeError(
            f"{source} in {dtype} does not fit on {device}: take dtype='bfloat16', or device='auto'"
        ) from None
    if told["missing_keys"]:  # transformers fills them with random numbers
        missing = sorted(told["missing_keys"])
        raise SymscopeError(f"{source} lacks {len(missing)} weights, such as {missing[0]}")
    module = module.eval() if device == "auto" else module.to(device).eval()
    if device == "auto":  # the folder goes with the module
        weakref.finalize(module, shutil.rmtree, aside, ignore_errors=True)
    found = layout.sized(module) if layout else layout_of(module)
    if found is None:
        raise SymscopeError(
            f"{source} is of the family {config.model_type!r}, and the table knows"
            f" {', '.join(FAMILIES)}. Give layout=Layout(…) with its module paths: blocks, embed,"
            f" norm, readout, and in a block q, k, v, mixed, hidden, attention and mlp, out of"
            f" {', '.join(_paths(module))}"
        )
    return Pretrained(module, found, _tokenizer(source))


def _checked(folder: Path) -> None:
    """Raise for a folder that no model can be read from; a name that is no folder is the hub's."""
    if not folder.exists():
        return
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.is_dir():
            regular(path)  # no pipe is waited for
    if not (folder / "config.json").exists():
        raise SymscopeError(f"{folder} has no config.json, so it is no Hugging Face model")
    if not any(folder.glob("*.safetensors")):
        pickled = [name for name in PICKLES if (folder / name).exists()]
        how = (
            " Its weights are pickled, and reading a pickle can run code: where you trust it, load"
            " it with transformers and model.save_pretrained(folder, safe_serialization=True)."
            if pickled else ""
        )  # fmt: skip
        raise SymscopeError(f"{folder} has no *.safetensors.{how}")


def _held(source: str | Path, config: Any) -> None:
    """Raise, before memory is taken, where a folder's files cannot hold what its config says."""
    from transformers import AutoModelForCausalLM

    held = sum(path.stat().st_size for path in Path(source).glob("*.safetensors"))
    if held and getattr(config, "num_hidden_layers", 0) > MOST_LAYERS:
        raise SymscopeError(f"{source}: its config.json says {config.num_hidden_layers} layers")
    with shapes_alone():
        made = AutoModelForCausalLM.from_config(config, trust_remote_code=False) if held else None
    said = sum(value.numel() for value in made.parameters()) if made else 0
    if said > 4 * held:  # no format has more than four weights in a byte
        raise SymscopeError(
            f"{source}: its config.json says {said:,} weights, and its files hold {held:,} bytes"
        )


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype not in DTYPES:
        raise SymscopeError(f"dtype {dtype!r}: there is {', '.join(DTYPES)}")
    return DTYPES[dtype]


def _paths(module: nn.Module) -> list[str]:
    """The module paths of the first block and outside of the blocks."""
    return [name for name, _ in module.named_modules() if name
            and not any(part.isdigit() and part != "0" for part in name.split("."))]  # fmt: skip


def _tokenizer(source: str | Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def enter(module: nn.Module, inputs: Tensor | Mapping[str, Tensor]) -> Any:
    """How tokens enter: (batch, step), or with the mask of a batch that is padded on the left.

    Positions are counted from the first token that is not padding.
    """
    if isinstance(inputs, Tensor):
        return module(input_ids=inputs, use_cache=False)
    given = {**inputs}
    mask = given.get("attention_mask")
    if mask is not None and "position_ids" not in given:
        given["position_ids"] = (mask.long().cumsum(-1) - 1).clamp(min=0)
    return module(**given, use_cache=False)
