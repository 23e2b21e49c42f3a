#!/bin/sh
# Everything that must hold besides the tests: types, lint, format, walls, and generated files that equal their source.
# Every check runs, so that one run tells all that is wrong; the exit code is 1 when any of them failed.
set -u
cd "$(dirname "$0")/.." || exit 2
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
failed=''

check() {
  name=$1
  shift
  printf '== %s\n' "$name"
  if ! "$@"; then failed="$failed $name"; fi
}

check types tsc -p .
check page tsc -p src/admin/page
check lint oxlint --deny-warnings .
check format biome format --max-diagnostics=50 .
check walls node --test --test-reporter=dot test/walls.test.ts test/order.test.ts test/repository.test.ts
check documents npm run -s docs:check

if [ -n "$failed" ]; then
  printf '\ncheck: failed:%s\n' "$failed" >&2
  exit 1
fi
printf '\ncheck: all good\n'
