// Images over the whole range of a filter's responses, from the highest to the lowest.

import { shown } from "./data.mjs";
import { byId, element } from "./elements.mjs";
import { thumbnail } from "./pictures.mjs";
import { imageReference } from "./references.mjs";
import { percent, significant } from "./text.mjs";

/** The images of a filter, the highest quantile first; none of a filter that was not chosen. */
export function quantileImages({ quantile, image, response, class: names } = { quantile: [] }) {
  return quantile.map((share, at) => {
    return { share, image: image[at], response: response[at], name: names[at] };
  });
}

function itemOf({ share, image, response, name }) {
  const elsewhere = element("span", { textContent: "(picture in test-images.h5)" });
  const picture = thumbnail(image) ?? elsewhere;
  const reference = imageReference(image, `test image ${image}`);
  const words = `, ${name}; response ${significant(response)}`;
  return element("li", {}, picture, `${percent(share, 0)}: `, reference, words);
}

/** Show the images of a filter, if it was chosen. */
export function drawQuantiles(name) {
  const images = quantileImages(shown.probe.filters.quantiles[name]);
  byId("quantiles-part").hidden = images.length === 0;
  byId("quantiles-name").textContent = `Images over the whole range of responses of ${name}`;
  byId("quantiles").replaceChildren(...images.map(itemOf));
}
