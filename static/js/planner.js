// The what-if of the retake planner as one moves the sliders. The server works out the same: scoring/prospects.py.
// Every number is a whole count of units (`facts.unit` of them make 1), so that nothing is rounded before it is compared.

const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));

/** Three decimals of units/unit, halves up: for the eye only. */
export const threeDecimals = (units, unit) => {
  const thousandths = Math.floor((2000 * units + unit) / (2 * unit));
  return `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, "0")}`;
};

/** The same with the exact fraction where it had to be rounded: "2.917 (exactly 35/12)". */
export const printed = (units, unit) => {
  const rounded = threeDecimals(units, unit);
  if ((1000 * units) % unit === 0) return rounded;
  const common = gcd(units, unit);
  return `${rounded} (exactly ${units / common}/${unit / common})`;
};

/** A score beside a slider: one that rounding would lift to a mark that it does not reach says so. */
export const shown = (units, { unit, floor, threshold }) => {
  const rounded = threeDecimals(units, unit);
  const thousandths = Number(rounded.replace(".", ""));
  const isLifted = [floor, threshold].some((mark) => units < mark && thousandths * unit >= mark * 1000);
  return isLifted ? `just below ${rounded}` : rounded;
};

// A number of the rules as people write it: 2.75, 19.25, 3.
const plain = (units, unit) => String(Number(threeDecimals(units, unit)));

const listed = (numbers) => {
  const others = numbers.slice(0, -1);
  return others.length ? `factors ${others.join(", ")} and ${numbers.at(-1)}` : `factor ${numbers[0]}`;
};

/** What would stand if the factors of `chosen` (factor to step) were given these scores. */
export const outcome = (facts, chosen) => {
  const counts = facts.places.map(({ factor, score, attainable }) => {
    const next = attainable[chosen[factor]] ?? null;
    if (score === null || next === null) return { factor, score: score ?? next };
    return { factor, score: facts.retake === "best" ? Math.max(score, next) : next };
  });
  const scored = counts.filter(({ score }) => score !== null);
  const total = scored.reduce((sum, { score }) => sum + score, 0);
  const below = scored.filter(({ score }) => score < facts.floor).map(({ factor }) => factor);
  const isComplete = scored.length === facts.factors;
  return { total, below, isComplete, isCertified: isComplete && total >= facts.needed && below.length === 0 };
};

/** The four sentences of the server. */
export const verdict = (facts, chosen) => {
  const { total, below, isComplete, isCertified } = outcome(facts, chosen);
  const { unit, factors } = facts;
  const open = "A factor would still be without a score, and nobody is certified without it.";
  const both = isCertified ? "With these scores both rules would be met." : "With these scores the two rules would not both be met.";
  const who = below.length ? listed(below).replace("f", "F") : "No factor";
  return [
    isComplete ? both : open,
    `The sum would be ${printed(total, unit)}; ${plain(facts.needed, unit)} is needed.`,
    `Overall that would be ${printed(total, unit * factors)}; ${plain(facts.threshold, unit)} is needed.`,
    `${who} would be below ${plain(facts.floor, unit)}.`,
  ];
};

// A text that stays is not written again: it would be read out again.
const put = (element, words) => { if (element.textContent !== words) element.textContent = words; };

const follow = (form, facts) => {
  const card = document.querySelector("[data-verdict]");
  const sliders = [...form.querySelectorAll("[data-supposed]")];
  const box = (slider) => slider.closest("fieldset").querySelector("[name='with']");
  const place = (slider) => facts.places.find(({ factor }) => String(factor) === slider.dataset.supposed);
  const tell = () => {
    const taken = sliders.filter((slider) => box(slider).checked);
    for (const slider of sliders) {
      const words = shown(place(slider).attainable[slider.value], facts);
      slider.setAttribute("aria-valuetext", words);
      slider.closest("fieldset").querySelector("[data-supposed-score]").textContent = box(slider).checked ? words : "";
    }
    const said = verdict(facts, Object.fromEntries(taken.map((slider) => [slider.dataset.supposed, slider.value])));
    put(card.querySelector("h3"), taken.length ? "What that would come to" : "As it stands");
    card.querySelectorAll("p").forEach((line, number) => put(line, said[number]));
  };
  for (const slider of sliders) {
    slider.addEventListener("input", () => { box(slider).checked = true; tell(); });
    box(slider).addEventListener("change", tell);
  }
  tell();
};

const form = globalThis.document?.querySelector("[data-planner]");
if (form) follow(form, JSON.parse(document.getElementById("planner-facts").textContent));
