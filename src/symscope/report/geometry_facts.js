"use strict";
// What is known of a cloud: its indices beside their nulls and what was published, and facts.
const Facts = (() => {
  const { make } = Words;
  const { value, plain, between, table } = Measure;
  const INDICES = {
    separability: { name: "S, separability, bits", share: false },
    mixture: { name: "M, mixture index", share: true },
  };
  const NAMES = { r2: "R²" };

  function row([key, measure], published) {
    const { name, share } = INDICES[key] || { name: key.replaceAll("_", " "), share: false };
    const known = [...(measure.score === null ? [] : [between(measure, share)])].filter(Boolean);
    const under = measure.score === null ? [measure.reason] : known;
    if ((measure.support ?? null) !== null) {
      under.push(`its discrete support alone: ${value(measure.support, share)}`);
    }
    const first = make("span", {}, name);
    under.forEach((text) => first.append(make("br"), make("small", {}, text)));
    const told = published[key];
    return [
      first,
      value(measure.score, share),
      value(measure.null, share),
      typeof told === "number" ? value(told, share) : (told ?? "–"),
    ];
  }

  function indices(cloud) {
    const { source, ...published } = cloud.published;
    const only = Object.keys(published).filter((k) => k in INDICES && !(k in cloud.indices));
    const none = { score: null, null: null, reason: "not measured here" };
    const all = [...Object.entries(cloud.indices), ...only.map((k) => [k, none])];
    if (!all.length) return [];
    const rows = all.map((one) => row(one, published));
    const made = table("Indices", ["Index", "Here", "Null", "Published"], rows);
    return [made, ...(source ? [make("p", { class: "note" }, `Published: ${source}.`)] : [])];
  }

  function facts(cloud) {
    const rest = Object.entries(cloud.published).filter(([k]) => k !== "source" && !(k in INDICES));
    const all = [
      ...Object.entries(cloud.facts),
      ...rest.filter(([k]) => !(k in cloud.indices)).map(([k, v]) => [`${k}, published`, v]),
    ];
    const parts = all.map(([name, fact]) =>
      make(
        "div",
        {},
        make("dt", {}, NAMES[name] || name.replaceAll("_", " ")),
        make("dd", {}, typeof fact === "string" ? fact : plain(fact)),
      ),
    );
    return parts.length ? [make("dl", { class: "facts" }, ...parts)] : [];
  }

  return { indices, facts };
})();
