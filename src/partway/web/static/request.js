/** One form on its way to the server. */
import { parsed, refusal } from "./problem.js";

const STALLED_AFTER_MS = 60_000;

/**
 * Posts a form. `answer` resolves with the JSON of a 2xx, and rejects with an `UploadError`; it is cut off when nothing
 * has moved for a minute.
 *
 * @param {URL} url @param {Record<string, string>} headers @param {FormData} form
 * @param {(loaded: number) => void} onSent called with the bytes that have left, the form's frame included
 * @returns {{ answer: Promise<any>, abort: () => void }}
 */
export function post(url, headers, form, onSent) {
  const xhr = new XMLHttpRequest();
  /** @type {number | undefined} */
  let stall;
  const alive = () => {
    clearTimeout(stall);
    stall = setTimeout(() => xhr.abort(), STALLED_AFTER_MS);
  };
  const answer = new Promise((resolve, reject) => {
    xhr.open("POST", url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      alive();
      onSent(loaded);
    };
    xhr.onreadystatechange = alive;
    xhr.onloadend = () => {
      clearTimeout(stall);
      const json = xhr.status >= 200 && xhr.status < 300 ? parsed(xhr.responseText) : null;
      if (json) resolve(json);
      else reject(refusal(xhr.status, xhr.responseText));
    };
    alive();
    xhr.send(form);
  });
  return { answer, abort: () => xhr.abort() };
}
