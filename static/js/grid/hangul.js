// Searching Korean names as people type them: part of the name, or only the initial letters (ㅎㄹ finds 하린).

import { folded } from "./values.js";

const INITIALS = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"];
const FIRST = 0xac00;
const LAST = 0xd7a3;
const PER_INITIAL = 588;

/** @param {string} text @returns {string} initial letters of its syllables, other letters as they are */
export function initialsOf(text) {
  return [...text].map((letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return code >= FIRST && code <= LAST ? INITIALS[Math.floor((code - FIRST) / PER_INITIAL)] : letter;
  }).join("");
}

/** @param {string} label @param {string} query @returns {number} 0 begins with it, 1 contains it, 2 by initials, -1 not at all */
export function match(label, query) {
  const name = folded(label);
  const wanted = folded(query.trim());
  if (!wanted || name.startsWith(wanted)) return 0;
  if (name.includes(wanted)) return 1;
  if (/[ㄱ-ㅎ]/.test(wanted) && initialsOf(name).includes(initialsOf(wanted))) return 2;
  // The last syllable is still being written: 하리 is on the way to 하린.
  const open = wanted.slice(0, -1);
  const last = wanted.slice(-1).normalize("NFD");
  if (last.length > 1 && name.normalize("NFD").includes(open.normalize("NFD") + last)) return 1;
  return -1;
}
