// Makes elements. Text only ever becomes text, never markup.

export const at = (id) => document.getElementById(id);

/** Return an element; of `traits`, `on…` are listeners, `class` and `data-…` attributes. */
export function h(name, traits = {}, ...children) {
  const element = document.createElement(name);
  for (const [trait, value] of Object.entries(traits)) {
    if (value === null || value === undefined || value === false) continue;
    if (trait.startsWith("on")) element.addEventListener(trait.slice(2), value);
    else element.setAttribute(trait, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Change text only where it differs, so that nothing is read out twice. */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Return a button that copies what `text` returns, and says so. */
export function copier(text) {
  const label = "Copy";
  return h("button", {
    type: "button", class: "quiet small",
    async onclick({ currentTarget: button }) {
      await navigator.clipboard.writeText(text()).then(() => tell(button, "Copied"), () => tell(button, "Not allowed"));
      setTimeout(() => tell(button, label), 1500);
    },
  }, label);
}
