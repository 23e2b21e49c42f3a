#!/bin/sh
# Runs h2spec, a suite of conformance tests for HTTP/2 and HPACK, against a TLS listener of a gateway that runs:
#   sh scripts/outside/h2spec.sh 127.0.0.1:8443 [sections and options of h2spec]
# Its exit code is that of h2spec, or 3 where h2spec is not installed. To install it, with Go:
#   go install github.com/summerwind/h2spec/cmd/h2spec@latest
set -eu

if [ "$#" -eq 0 ]; then
  printf 'usage: h2spec.sh HOST:PORT [sections and options of h2spec]\n' >&2
  exit 2
fi
address=$1
shift

h2spec=$(command -v h2spec || true)
if [ -z "$h2spec" ] && command -v go >/dev/null; then
  built=$(go env GOPATH)/bin/h2spec
  if [ -x "$built" ]; then h2spec=$built; fi
fi
if [ -z "$h2spec" ]; then
  printf 'h2spec is not installed\n' >&2
  exit 3
fi

exec "$h2spec" --host "${address%:*}" --port "${address##*:}" --tls --insecure --timeout 5 "$@"
