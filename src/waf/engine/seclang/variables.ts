import { VARIABLE_NAMES, variableNamed } from '../variables/catalogue.ts';
import type { Variable } from '../variables/variable.ts';
import { didYouMean } from './nearest.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';

const PERFORMANCE = 'rules are not timed one by one';
const SCRIPT = 'a gateway serves no files';
const FILES = 'files that are sent are not written to disk';

/** Variables of the reference manual that this engine does not fill, and why. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['FILES_TMPNAMES', FILES],
  ['FILES_TMP_CONTENT', FILES],
  ['GEO', 'it needs a database of places'],
  ['PERF_ALL', PERFORMANCE],
  ['PERF_COMBINED', PERFORMANCE],
  ['PERF_GC', PERFORMANCE],
  ['PERF_LOGGING', PERFORMANCE],
  ['PERF_PHASE1', PERFORMANCE],
  ['PERF_PHASE2', PERFORMANCE],
  ['PERF_PHASE3', PERFORMANCE],
  ['PERF_PHASE4', PERFORMANCE],
  ['PERF_PHASE5', PERFORMANCE],
  ['PERF_RULES', PERFORMANCE],
  ['PERF_SREAD', PERFORMANCE],
  ['PERF_SWRITE', PERFORMANCE],
  ['SCRIPT_GID', SCRIPT],
  ['SCRIPT_GROUPNAME', SCRIPT],
  ['SCRIPT_MODE', SCRIPT],
  ['SCRIPT_UID', SCRIPT],
  ['SCRIPT_USERNAME', SCRIPT],
  ['SDBM_DELETE_ERROR', 'collections are not kept in files'],
  ['SERVER_ADDR', 'it says nothing about a request behind a gateway'],
  ['SESSIONID', 'the key of a session is known to the collection SESSION only'],
  ['STREAM_INPUT_BODY', 'bodies are not changed as they pass'],
  ['STREAM_OUTPUT_BODY', 'bodies are not changed as they pass'],
  ['URLENCODED_ERROR', 'errors of a form are told by REQBODY_ERROR'],
  ['USERAGENT_IP', 'REMOTE_ADDR is the address of the client'],
  ['WEBSERVER_ERROR_LOG', 'the gateway has no such log'],
]);

/** The variable that is meant; undefined where there is none, which is reported. */
export function readVariable(name: Span, { report }: Reading): Variable | undefined {
  const upper = name.text.toUpperCase();
  const known = variableNamed(upper);
  if (known !== undefined) return known;
  const why = UNSUPPORTED.get(upper);
  if (why !== undefined) return report.refuse(name.place(), `the variable ${upper} is not supported: ${why}`, 'leave it out');
  if (upper === '') return report.refuse(name.place(), 'the name of a variable is missing');
  return report.refuse(name.place(), `there is no variable ${name.text}`, didYouMean(upper, VARIABLE_NAMES));
}
