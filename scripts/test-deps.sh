#!/usr/bin/env bash
# Makes sure that what `make test` and `make bench` run is there. On Debian as root it installs what is missing;
# elsewhere it lists it and fails.
set -euo pipefail

# command:package
needs=(gcc:gcc strace:strace shellcheck:shellcheck curl:curl hey:hey)

missing=()
for need in "${needs[@]}"; do
	command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	exit 0
fi
echo "missing: ${missing[*]}" >&2
echo "install them, for instance: sudo apt-get install ${missing[*]}" >&2
exit 1
