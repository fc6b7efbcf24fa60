// The top images of filters: those that they answer to most.

/** A filter's image of a rank counted from 0, its response, and the box that the peak sees. */
export function topImage(layer, channel, rank) {
  const at = channel * layer.ranks + rank;
  return { image: layer.image[at], response: layer.response[at], box: layer.boxes[layer.box[at]] };
}

/**
 * The filters of a layer that answer to an image of a class: it is among their top images, and the
 * response is not 0.
 *
 * @param labelOf the class of each image that is among them.
 */
export function filtersOfClass(layer, label, labelOf) {
  const ranks = Array.from({ length: layer.ranks }, (_, rank) => rank);
  const channels = Array.from({ length: layer.channels }, (_, channel) => channel);
  return channels.filter((channel) => {
    return ranks.some((rank) => {
      const { image, response } = topImage(layer, channel, rank);
      return response !== 0 && labelOf.get(image) === label;
    });
  });
}
