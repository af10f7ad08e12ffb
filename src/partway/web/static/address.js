/**
 * The same address on the origin this page came from: `public_url` may name another one, and the page asks no other.
 */
export function here(/** @type {string} */ url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
