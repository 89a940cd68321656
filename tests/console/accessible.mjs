// Whether everything that can be used has a name, and every text stands out from its ground; and what axe-core finds.

import assert from "node:assert/strict";
import fs from "node:fs";

const AXE = fs.readFileSync("node_modules/axe-core/axe.min.js", "utf8");

/** Nothing serious is found on the page as it is now, by axe-core or by us. */
export async function assertAccessible(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ; ")}`), []);
  assert.deepEqual(await contrastAndNames(page), []);
}

/** What WCAG 2.2 (1.4.3, AA) wants of text. */
const CONTRAST_MIN = 4.5;

/** What is wrong on the page as it is now, one sentence each. */
export function contrastAndNames(page) {
  return page.evaluate((least) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if (color[3] > 0.99) return color;
      }
      return rgba("canvas");
    };
    const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const wrong = [];
    for (const element of document.querySelectorAll("button, input, textarea, select, [tabindex], summary, [role]:not([role=status], [role=alert])")) {
      const named = element.textContent.trim() || element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.localName === "pre" || element.id === "log";
      if (visible(element) && !named) wrong.push(`${element.localName}#${element.id} has no name`);
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() === "" || !visible(element) || element.closest(":disabled, .unseen, script, noscript")) continue;
      const style = getComputedStyle(element);
      const [front, back] = [rgba(style.color), ground(element)];
      const opacity = Number(style.opacity) * front[3];
      const mixed = front.map((c, n) => c * opacity + back[n] * (1 - opacity));
      const [light, dark] = [luminance(mixed), luminance(back)].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < least) wrong.push(`${contrast.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
    return wrong;
  }, CONTRAST_MIN);
}
