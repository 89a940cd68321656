// Pictures of the page, small enough to be kept: Chromium itself makes WebP of them.

import fs from "node:fs";

/** As good as text needs to be read; and what one may weigh, in bytes. */
const QUALITY = 0.86;
const BYTES_MAX = 80_000;

/** What is seen of a page now, in a file. Beside it, as PNG, for those who cannot see WebP, if `CONSOLE_PNG` is set. */
export async function keepPicture(page, browser, file) {
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  const context = await browser.newContext();
  try {
    const blank = await context.newPage();
    const webp = await blank.evaluate(async ({ base64, quality }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      const blob = await canvas.convertToBlob({ type: "image/webp", quality });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    }, { base64: png.toString("base64"), quality: QUALITY });
    const bytes = Buffer.from(webp, "base64");
    if (bytes.length > BYTES_MAX) throw new Error(`${file} would have ${bytes.length} bytes; ${BYTES_MAX} are allowed`);
    fs.writeFileSync(file, bytes);
    if (process.env.CONSOLE_PNG) fs.writeFileSync(file.replace(/webp$/, "png"), png);
  } finally {
    await context.close();
  }
}
