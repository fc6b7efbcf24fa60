// Links from a test image's number to its maps, and from a filter's name to the filter.

import { shown } from "./data.mjs";
import { byId, element } from "./elements.mjs";
import { addressOfFilter, addressOfImage, change, showImage } from "./navigation.mjs";

/** A link within the page; `show` shows what it leads to, in a tab of that name. */
function reference(href, textContent, tab, show) {
  const onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens another tab
    event.preventDefault();
    show();
    byId(`tab-${tab}`).focus(); // the link is no longer seen
  };
  return element("a", { href, textContent, onclick });
}

/** A link to an image in the occlusion tab, or the text alone where the tab doesn't have it. */
export function imageReference(image, text = String(image)) {
  if (!shown.probe.occlusion.indices.includes(image)) return text;
  const show = () => showImage(image, { tab: "occlusion" });
  return reference(addressOfImage(image), text, "occlusion", show);
}

/** A link to a filter, by its name. */
export function filterReference(filter) {
  const show = () => change({ tab: "filters", filter });
  return reference(addressOfFilter(filter), filter, "filters", show);
}
