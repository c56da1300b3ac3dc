#!/usr/bin/env bash
# gofmt, go vet, staticcheck, and shellcheck on every script. The house rules are ordinary tests: house_test.go.
set -euo pipefail
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted (make fmt):" >&2
	echo "$unformatted" >&2
	exit 1
fi
go vet -tags integration ./...
.tools/staticcheck -tags integration ./...
(cd test/servers && go vet -tags integration ./... && ../../.tools/staticcheck -tags integration ./...)
git ls-files '*.sh' .ci/run | xargs shellcheck
