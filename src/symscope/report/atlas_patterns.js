"use strict";
// Patterns of the operands, as they are matched: which prompts have one, and which cells.
const Patterns = (() => {
  const WRITTEN = { "-": "−", "*": "×" };
  const DOES = {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
    "//": (a, b) => Math.floor(a / b),
  };

  const written = (sign) => WRITTEN[sign] || sign;
  const rest = (a, n) => ((a % n) + n) % n;

  // The right answer; null where there is none.
  function answer(sign, a, b, modulus) {
    if (sign === "//" && b === 0) return null;
    const found = DOES[sign](a, b);
    return modulus ? rest(found, modulus) : found;
  }

  function fits({ kind, values }, number) {
    if (kind === "range") return number >= values[0] && number < values[1];
    if (kind === "modulo") return rest(number, values[0]) === values[1];
    if (kind === "set") return values.includes(number);
    return values.every((digit, place) => {
      const size = 10 ** (values.length - 1 - place);
      return digit < 0 || rest(Math.floor(number / size), 10) === digit;
    });
  }

  // Whether the prompt a sign b has the pattern of the label.
  function holds(label, a, b, modulus) {
    if (label.kind === "same") return a === b;
    if (label.of === "both") return fits(label, a) && fits(label, b);
    if (label.of === "first") return fits(label, a);
    if (label.of === "second") return fits(label, b);
    const found = answer(label.sign, a, b, modulus);
    return found !== null && fits(label, found);
  }

  // How many prompts of each cell have the pattern; a cell is `width` operands wide, and all its
  // prompts count, as the view says of cells alone whether they are legal.
  function marks(label, cells, width, legal, modulus) {
    const found = new Uint16Array(cells * cells);
    for (let a = 0; a < cells * width; a++) {
      for (let b = 0; b < cells * width; b++) {
        const cell = Math.floor(a / width) * cells + Math.floor(b / width);
        if (legal[cell] && holds(label, a, b, modulus)) found[cell] += 1;
      }
    }
    return found;
  }

  return { written, answer, holds, marks };
})();
