// Elements as values. Text enters the page as text nodes only: nothing in this console ever parses HTML.

/**
 * A new element: `make("p", { class: "quiet" }, "text", child, [children], …)`; children that are null or false are left out.
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {...any} children
 * @returns {any} an element of the kind that the tag names
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  // Before the attributes: under dir=auto a browser looks at the direction of the whole anew for each child that comes.
  fill(element, children);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  return element;
}

/** Adds children one by one: as arguments of one call they could be more than a call can have. */
export function fill(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** The element of the page with this id, of whatever kind. @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** Shows or hides an element. */
export function show(element, shown) {
  element.hidden = !shown;
}

/** The same function, called only when it has not been asked for again for `ms` milliseconds. */
export function settled(ms, what) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(what, ms);
  };
}
