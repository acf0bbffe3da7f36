"""What Grant, Goodman & McClelland printed: ICLR 2025 submission, mean IIA read from the figures.

Read to ±0.002 (Fig. 11 to ±0.005). Where two figures disagree both values stand. Error bars are
not defined in the publication. `PUBLISHED` maps a claim id to its figure and value.
"""

FIGURES_2_7 = {
    "multi.gru": (0.955, 0.403, 0.896, 0.332, 0.079),
    "single.gru": (0.937, 0.412, 0.903, 0.356, 0.083),
    "same.gru": (0.473, 0.296, 0.427, 0.323, 0.087),
    "multi.lstm": (0.933, 0.459, 0.872, 0.436, 0.088),
    "single.lstm": (0.973, 0.378, 0.932, 0.391, 0.084),
    "same.lstm": ((0.497, 0.335), (0.525, 0.362), 0.363, 0.327, 0.093),
    "multi.transformer": ((0.110, 0.119), (0.127, 0.113), 0.742, 0.363, 0.971),
    "single.transformer": ((0.124, 0.119), (0.136, 0.117), 0.766, 0.368, 0.993),
    "same.transformer": ((0.120, 0.122), (0.135, 0.117), 0.468, 0.350, 0.970),
}
"""Count and Demo (Fig. 2, or Fig. 2 and Fig. 7), Phase, Resp, Ctx-Distr unchanged."""
COLUMNS = (
    "up_down.count.iia",
    "up_up.demo.iia",
    "up_down.phase.iia",
    "up_up.resp.iia",
    "ctx_distr.unchanged.iia",
)
FIGURE_3_LEFT = {8: 0.720, 16: 0.889, 20: 0.934, 32: 0.960, 48: 0.994, 96: 0.997}
FIGURE_3_RIGHT = {
    50: {8: (0.0, 0.0), 16: (0.0, 0.0), 32: (0.876, 0.795), 48: (0.986, 0.962)},
    100: {8: (0.0, 0.0), 16: (0.830, 0.706), 32: (1.0, 0.934), 48: (1.0, 0.981)},
    200: {8: (0.587, 0.454), 16: (1.0, 0.863), 32: (0.990, 0.940), 48: (1.0, 0.982)},
    400: {8: (0.977, 0.680), 16: (1.0, 0.884), 32: (1.0, 0.946), 48: (1.0, 0.984)},
    600: {8: (1.0, 0.684), 16: (1.0, 0.876), 32: (1.0, 0.947), 48: (1.0, 0.985)},
}
"""Epoch → width → accuracy and IIA."""
FIGURE_4_LEFT = {
    1: (0.959, 0.925, 0.889, 0.865, 0.829),
    4: (0.931, 0.970, 0.925, 0.875, 0.726),
    8: (0.881, 0.934, 0.936, 0.886, 0.724),
    12: (0.827, 0.869, 0.911, 0.885, 0.772),
    16: (0.677, 0.746, 0.830, 0.860, 0.735),
    20: (0.447, 0.538, 0.603, 0.692, 0.846),
}
"""Source count → IIA at base counts 1, 5, 10, 15, 20, all sizes pooled."""
FIGURE_4_RIGHT = {
    8: (0.812, 0.706, 0.571, 0.456, 0.455),
    16: (0.918, 0.854, 0.778, 0.651, 0.542),
    20: (0.980, 0.958, 0.899, 0.793, 0.683),
    32: (0.980, 0.961, 0.915, 0.828, 0.662),
    48: (0.996, 0.993, 0.979, 0.932, 0.754),
    96: (0.985, 0.979, 0.944, 0.876, 0.700),
}
"""Width → IIA at |source − base| of 0, 5, 10, 15, 19."""
FIGURE_6 = {
    "gru": (0.704, 0.389, 0.185, 0.019, 0.0, 0.0),
    "lstm": (0.933, 0.800, 0.613, 0.356, 0.276, 0.067),
    "transformer": (0.721, 0.388, 0.188, 0.125, 0.188, 0.021),
}
"""Accuracy on N = 21, 22, 23, 24, 25, 30 (the task is not named; compared with multi)."""
FIGURE_6_WIDTHS = {
    8: (0.867, 0.744, 0.489, 0.144, 0.0, 0.0),
    96: (0.844, 0.011, 0.0, 0.0, 0.0, 0.0),
}
"""The same for GRUs of other widths."""
FIGURE_11 = {"multi": 0.955, "single": 1.0, "same": 0.953}
"""Variable-length transformers, full swap: unchanged."""

PUBLISHED: dict[str, dict[str, object]] = {}
for _cell, _values in FIGURES_2_7.items():
    for _column, _value in zip(COLUMNS, _values, strict=True):
        PUBLISHED[f"numbers.{_cell}.{_column}"] = {"figure": "Figs 2 and 7", "value": _value}
for _width, _iia in FIGURE_3_LEFT.items():
    PUBLISHED[f"numbers.size.{_width}.count.iia"] = {"figure": "Fig. 3 left", "value": _iia}
for _epoch, _row in FIGURE_3_RIGHT.items():
    for _width, (_, _iia) in _row.items():
        _claim = f"numbers.training.{_width}.epoch{_epoch}.count.iia"
        PUBLISHED[_claim] = {"figure": "Fig. 3 right", "value": _iia}
for _width, _accuracies in FIGURE_6_WIDTHS.items():
    for _n, _accuracy in zip((21, 22, 23, 24, 25, 30), _accuracies, strict=True):
        PUBLISHED[f"numbers.size.{_width}.n{_n}"] = {"figure": "Fig. 6", "value": _accuracy}
for _arch, _accuracies in FIGURE_6.items():
    for _n, _accuracy in zip((21, 22, 23, 24, 25, 30), _accuracies, strict=True):
        _claim = f"numbers.extrapolation.multi.{_arch}.n{_n}"
        PUBLISHED[_claim] = {"figure": "Fig. 6", "value": _accuracy}
for _kind, _share in FIGURE_11.items():
    _claim = f"numbers.{_kind}_variable.transformer.ctx_distr.unchanged.iia"
    PUBLISHED[_claim] = {"figure": "Fig. 11", "value": _share}
