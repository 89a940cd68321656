// The administrator's page, as tests find their way on it.

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
export const rows = (page) => page.locator("#admin-screen tbody tr");
/** @param {Page} page @param {string} text */
export const row = (page, text) => rows(page).filter({ hasText: text });
/** @param {Page} page */
export const dialog = (page) => page.locator("dialog[open]");

/** Goes to one of its tabs. @param {Page} page @param {string} tab */
export async function go(page, tab) {
  await page.locator(`#admin-tabs a[href="#/${tab}"]`).click();
  await page.locator("#admin-title:focus").waitFor();
}
