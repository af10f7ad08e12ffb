/**
 * How a file is cut into byte pieces, and where its index is. Pure but for reading a few box headers.
 *
 * A span is `[from, to]` in bytes, `to` not included. The bounds are those of the upload contract.
 *
 * @typedef {[number, number]} Span
 */

export const MiB = 2 ** 20;
/** Least bytes of a piece that does not end the file. */
export const LEAST = 5 * MiB;
/** Most bytes of one piece. */
export const MOST = 200 * MiB;
/** Most bytes of one file. */
export const LARGEST_FILE = 50_000 * MiB;

/**
 * What of `total` bytes is in none of the spans: sorted, disjoint.
 *
 * @param {number} total @param {Span[]} held @returns {Span[]}
 */
export function holesIn(total, held) {
  const holes = /** @type {Span[]} */ ([]);
  let edge = 0;
  for (const [from, to] of [...held].sort((a, b) => a[0] - b[0])) {
    if (from > edge) holes.push([edge, from]);
    edge = Math.max(edge, to);
  }
  if (edge < total) holes.push([edge, total]);
  return holes;
}

/**
 * The pieces that fill what is missing: the head first, then the piece that holds the index, then the rest in order.
 *
 * The size is asked for at every cut, so it may grow on the way. No piece is below `LEAST` unless it ends the file.
 *
 * @param {number} total @param {Span[]} held
 * @param {number | null} index where the index begins when it stands at the file's end
 * @param {() => number} size wished for, in bytes
 * @returns {Generator<Span, void, void>}
 * @throws {RangeError} when a hole is smaller than the contract lets anybody send
 */
export function* plan(total, held, index, size) {
  const holes = holesIn(total, held);
  const border = borders(total, index);
  if (holes.length && holes[0][0] === 0) yield take(holes, 0, LEAST, border);
  const last = holes.at(-1);
  if (last && index !== null && last[1] === total && index >= last[0]) {
    const from = index - last[0] < LEAST ? last[0] : index;
    if (total - from <= MOST) {
      yield [from, total];
      if (from === last[0]) holes.pop();
      else last[1] = from;
    }
  }
  while (holes.length) {
    const [from, to] = holes[0];
    if (to - from < LEAST && to !== total)
      throw new RangeError(`bytes ${from} to ${to - 1} are too few to be sent alone`);
    yield take(holes, 0, size(), border);
  }
}

/**
 * Whether nothing should share the line with this span: the head, or the index behind the media. A viewer waits for them.
 *
 * @param {Span} span @param {number} total @param {number | null} index
 */
export function goesAlone([from, to], total, index) {
  return from === 0 || (index !== null && from <= index && index < to && to === total);
}

/**
 * The last border at or before a position: the multiples of the smallest piece, but none close before the index.
 *
 * Pieces of every run end at the same borders, whatever their size. So one that the server accepts after the next
 * run has asked what it holds leaves no hole that is too small to fill.
 */
function borders(/** @type {number} */ total, /** @type {number | null} */ index) {
  return (/** @type {number} */ position) => {
    if (index !== null && index >= 2 * LEAST && total - index <= MOST) {
      if (position >= index) return index;
      position = Math.min(position, index - LEAST);
    }
    return Math.floor(position / LEAST) * LEAST;
  };
}

/** Cuts a piece off the front of one hole, or all of it when the remainder would be too small. */
function take(
  /** @type {Span[]} */ holes,
  /** @type {number} */ at,
  /** @type {number} */ size,
  /** @type {(position: number) => number} */ border,
) {
  const [from, to] = holes[at];
  const fits = (/** @type {number} */ cut) => cut - from >= LEAST && cut - from <= MOST && to - cut >= LEAST;
  let end = to;
  if (to - from >= size + LEAST || to - from > MOST) {
    const cuts = [border(from + size), border(from + 2 * LEAST - 1)];
    end = cuts.find(fits) ?? Math.min(from + size, to - LEAST);
  }
  if (end === to) holes.splice(at, 1);
  else holes[at] = [end, to];
  return /** @type {Span} */ ([from, end]);
}

/**
 * Where the index (`moov`, ISO/IEC 14496-12 clause 8.2.1) begins if it follows the media; null when it does not,
 * or when this is no MP4 or MOV at all.
 *
 * @param {Blob} file @returns {Promise<number | null>}
 */
export async function indexAtEnd(file) {
  let offset = 0;
  let mediaSeen = false;
  for (let boxes = 0; boxes < 64 && offset + 8 <= file.size; boxes += 1) {
    const head = new DataView(await file.slice(offset, offset + 16).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(head.buffer, 4, 4));
    if (!/^[\w ©-]{4}$/.test(type)) return null;
    if (type === "moov") return mediaSeen ? offset : null;
    mediaSeen ||= type === "mdat";
    let size = head.getUint32(0);
    if (size === 1 && head.byteLength === 16) size = Number(head.getBigUint64(8));
    if (size < 8) return null;
    offset += size;
  }
  return null;
}
