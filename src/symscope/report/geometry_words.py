"""What each series of an intervention is called, and what it does, in plain words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SERIES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "circle": ("circle", "writes the new value's point on the circle that the probe found; all else"
               " of the state is the mean over prompts"),
    "circle_kept": ("circle, rest kept", "turns the circle's plane to the new value and leaves the"
                    " rest of this prompt's state as it is"),
    "circles": ("all circles", "writes the new value's point on all circles that were found at"
                " once; all else is the mean"),
    "no_op": ("no change", "writes the prompt's own state back: the answer should stay"),
    "whole": ("whole state", "takes the whole state of a prompt that really has the new value: the"
              " most that an edit at this place can do"),
    "components": ("all components", "takes all that the probe reads from a prompt that really has"
                   " the new value, and keeps the rest"),
    "mean": ("mean state", "writes the mean over prompts, which says nothing of the value"),
    "plane_removed": ("plane removed", "sets the circle's plane to its mean and keeps the rest"),
    "plane_alone": ("plane alone", "keeps the prompt's own plane and sets the rest to the mean"),
    "random_plane": ("random plane", "takes a random plane of the whole space from a prompt that"
                     " really has the new value, and keeps the rest"),
    "random_plane_in_components": ("random plane in the components", "takes a random plane of what"
                                   " the probe reads from a prompt with the new value; all else is"
                                   " the mean. What does not beat this is no circle"),
    "shuffled_values": ("shuffled values", "the same edit with a circle fitted to values in random"
                        " order"),
    "random_displacement": ("random step", "goes as far from the prompt's state as the circle does,"
                            " in a random direction"),
    "untrained": ("untrained network", "the same edit in a network of the same shape that was not"
                  " trained"),
    "das": ("trained plane", "a plane of the same size that was trained to move the answer"),
})  # fmt: skip


def words_of(names: list[str], given: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """For each name its label, and what it does: `given` first, then what is known, then nothing.

    >>> words_of(["mean", "my_own"], {"my_own": "does it my way"})["my_own"]
    {'label': 'my own', 'said': 'does it my way'}
    """
    found = {}
    for name in names:
        label, said = SERIES.get(name, (name.replace("_", " "), ""))
        found[name] = {"label": label, "said": str(given.get(name, said))}
    return found
