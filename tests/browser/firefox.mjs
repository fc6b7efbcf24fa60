// Opens views of a page in Firefox: node firefox.mjs BROWSER PAGE ADDRESS…
//
// Prints JSON: of each address what stands on the page, and all messages and errors.

import puppeteer from "puppeteer-core";

const [executablePath, page, ...addresses] = process.argv.slice(2);

/** What a test compares; runs in the browser. */
function seen() {
  const cells = (row) => [...row.cells].map((cell) => cell.textContent);
  const textOf = (id) => document.getElementById(id).textContent;
  return {
    address: location.hash,
    image: textOf("shown-image"),
    filter: textOf("filter-name"),
    bars: [...document.querySelectorAll("#bars tbody tr")].map(cells),
    tab: document.querySelector('[role="tab"][aria-selected="true"]').textContent.trim(),
  };
}

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  // Setting a viewport asks for the screen's orientation, which Firefox ESR doesn't know.
  defaultViewport: null,
  args: ["--width=1440", "--height=900"],
});
const messages = [];
const views = [];
try {
  for (const address of addresses) {
    const tab = await browser.newPage();
    tab.on("console", (message) => messages.push(message.text()));
    tab.on("pageerror", (error) => messages.push(String(error)));
    await tab.goto(page + address);
    await tab.waitForSelector("body[data-ready]");
    const occluded = address.startsWith("#occlusion");
    // Its maps are unpacked when they are asked for.
    if (occluded) await tab.waitForSelector("#shown-image:not(:empty)");
    views.push(await tab.evaluate(seen));
    if (occluded) {
      await tab.focus("#map");
      await tab.keyboard.press("ArrowDown");
      views.push(await tab.evaluate(seen));
    }
    await tab.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ messages, views }));
