/** Figures as people read them. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Decimal units, as disks and networks are sold: `1.5 GB`. */
export function bytes(/** @type {number} */ count) {
  let unit = 0;
  while (count >= 999.5 && unit < UNITS.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${unit && count < 9.95 ? count.toFixed(1) : Math.round(count)} ${UNITS[unit]}`;
}

/** `40 s`, `3 min`, `1 h 20 min`. */
export function duration(/** @type {number} */ seconds) {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

/** `1:02:03` or `4:05`, a video's length. */
export function clock(/** @type {number} */ seconds) {
  const whole = Math.round(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });

/** `2 minutes ago`, `yesterday`, `3 Mar 2026`. */
export function when(/** @type {string} */ iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  if (seconds > -45) return "just now";
  if (seconds > -3_600) return RELATIVE.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return RELATIVE.format(Math.round(seconds / 3_600), "hour");
  if (seconds > -7 * 86_400) return RELATIVE.format(Math.round(seconds / 86_400), "day");
  return DAY.format(new Date(iso));
}

/** A title from a file's name: `holiday_2026.final.mp4` -> `holiday_2026.final`. */
export const titleOf = (/** @type {string} */ name) => name.replace(/(?<=.)\.[a-z0-9]{1,5}$/i, "");
