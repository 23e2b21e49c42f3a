#!/bin/sh
# Runs the tests: all of them, or the files that are named. `npm test`, `npm test -- src/exchange/path.test.ts`.
# On a terminal the readable report, else TAP, whose closing lines (`# tests`, `# pass`, `# fail`) programs can read.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

if [ -t 1 ]; then reporter=spec; else reporter=tap; fi
if [ "$#" -eq 0 ]; then set -- 'src/**/*.test.ts' 'test/**/*.test.ts'; fi

# Two files at a time, also where Node would choose one (it leaves a core free).
exec node --import ./test/support/watchdog.ts --test --test-reporter="$reporter" --test-concurrency=2 --test-timeout=240000 "$@"
