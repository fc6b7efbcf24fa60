// Links from a test image's number to its maps.

import { shown } from "./data.mjs";
import { byId, element } from "./elements.mjs";
import { addressOfImage, showImage } from "./navigation.mjs";

/** A link to an image in the occlusion tab, or the text alone where the tab doesn't have it. */
export function imageReference(image, text = String(image)) {
  if (!shown.probe.occlusion.indices.includes(image)) return text;
  const onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens another tab
    event.preventDefault();
    showImage(image, { tab: "occlusion" });
    byId("tab-occlusion").focus(); // the link is no longer seen
  };
  return element("a", { href: addressOfImage(image), textContent: text, onclick });
}
