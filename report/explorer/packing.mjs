// Reads what scripts/convprobe/report/packing.py packed: base64, deflated where there is much.

export function bytesOf(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  // Uint8Array.from would take the letters one by one: a fifth of the time until the page is there.
  for (let place = 0; place < letters.length; place += 1) {
    bytes[place] = letters.charCodeAt(place);
  }
  return bytes;
}

/** The bytes of a deflated text. */
export async function inflated(base64) {
  // A Blob would take a tenth of the time until the page is there.
  const { body } = new Response(bytesOf(base64));
  const bytes = body.pipeThrough(new DecompressionStream("deflate"));
  return new Response(bytes).arrayBuffer();
}

export async function inflatedObject(base64) {
  return JSON.parse(new TextDecoder().decode(await inflated(base64)));
}

export async function inflatedNumbers(base64) {
  return new Uint16Array(await inflated(base64));
}

/** One of the planes of equal size that follow each other in an array. */
export function plane(values, index, size) {
  return values.subarray(index * size, (index + 1) * size);
}

/** Whether a bit is set; the first one is the highest of its byte. */
export function hasBit(bytes, position) {
  const byte = bytes[position >> 3];
  return ((byte >> (7 - (position & 7))) & 1) === 1;
}
