#!/bin/sh
# Runs the tests: all of them, or the files that are named. `npm test`, `npm test -- src/exchange/path.test.ts`.
# The report ends with the names of what failed and with counts that programs can read (`# tests`, `# pass`, `# fail`, `# skipped`).
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

if [ "$#" -eq 0 ]; then set -- 'src/**/*.test.ts' 'test/**/*.test.ts'; fi

# Two files at a time, also where Node would choose one (it leaves a core free).
exec node --import ./test/support/watchdog.ts --test --test-reporter=./scripts/test-reporter.ts \
  --test-concurrency=2 --test-timeout=240000 "$@"
