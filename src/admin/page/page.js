// @ts-check
import { byId, element, setText } from './dom.js';
import { clock, moment, span } from './format.js';
import { History } from './rates.js';
import { makeSections } from './sections.js';

/** @import { Status } from '../../observe/status.ts' */

/**
 * The status page: asks the gateway every two seconds, one question at a time, and never while nobody looks. What it shows is as old as
 * the last answer, and it says so when there is none.
 */

const EVERY_MS = 2000;
/** The first rates need a second look. */
const SOON_MS = 1000;
const PATIENCE_MS = 5000;

const history = new History();
const sections = makeSections();
const state = byId('state');
const banner = byId('banner');
const about = byId('about');

/** When the last answer came, by this browser's clock. */
let answered = 0;
let looks = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | undefined} */
let asking;

async function look() {
  asking = new AbortController();
  const { signal } = asking;
  let next = EVERY_MS;
  try {
    const response = await fetch('/status.json', {
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (response.status === 401) return location.assign('/');
    if (!response.ok) throw new Error(`it answers with ${response.status}`);
    show(/** @type {Status} */ (await response.json()));
    if (looks < 2) next = SOON_MS;
  } catch (error) {
    if (signal.aborted) return;
    silent(error);
  }
  asking = undefined;
  if (!document.hidden) timer = setTimeout(look, next);
}

/** @param {Status} status */
function show(status) {
  answered = Date.now();
  looks++;
  try {
    history.push(status);
    for (const section of sections) section(status, history);
  } catch (error) {
    console.error(error);
    document.body.classList.add('stale');
    return warn('The gateway answers, but this page cannot show it: it may be of another version. Load the page anew.');
  }
  setText(state, status.ready ? 'Serving' : `Not ready: ${status.reasons.join(', ')}`);
  state.dataset.tone = status.ready ? 'good' : 'bad';
  document.title = status.ready ? 'Portcullis' : 'Not ready – Portcullis';
  document.body.classList.remove('stale');
  banner.hidden = true;
  showAbout(status);
  const { lost } = status.traffic;
  if (lost > 0) warn(`${lost} access records could not be written: the disk is full or too slow.`);
}

/** @param {Status} status */
function showAbout(status) {
  const { asked, serving } = status.workers;
  const facts = [
    ['Version', status.version],
    ['Up', span(status.time - status.started)],
    ['Workers', serving === asked ? String(serving) : `${serving} of ${asked}`],
    ['Memory', `${Math.round(status.memory / 1024 / 1024)} MiB`],
    ['As of', clock(status.time)],
  ];
  if (about.children.length === 0) {
    for (const [name] of facts) about.append(element('div', {}, element('dt', {}, name), element('dd')));
  }
  facts.forEach(([, value], i) => setText(/** @type {Element} */ (about.children[i].lastElementChild), value));
}

/** @param {unknown} error */
function silent(error) {
  const why = error instanceof Error && error.message.startsWith('it answers') ? ` (${error.message})` : '';
  setText(state, 'No answer');
  state.dataset.tone = 'bad';
  document.title = 'No answer – Portcullis';
  document.body.classList.add('stale');
  // The text stays the same while it lasts, so that a screen reader says it once.
  warn(
    answered === 0
      ? `The gateway does not answer${why}.`
      : `The gateway does not answer${why} since ${moment(answered)}. What you see is from then; it goes on by itself when there is an answer.`,
  );
}

/** @param {string} text */
function warn(text) {
  setText(banner, text);
  banner.hidden = false;
}

function pause() {
  clearTimeout(timer);
  asking?.abort();
  asking = undefined;
}

document.addEventListener('visibilitychange', () => {
  pause();
  if (!document.hidden) void look();
});

void look();
