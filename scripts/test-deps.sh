#!/usr/bin/env bash
# Makes sure that what `make test` and `make bench` run is there. On Debian as root it installs what is missing;
# elsewhere it lists it and fails.
set -euo pipefail

# command:package, or file:package
needs=(gcc:gcc strace:strace shellcheck:shellcheck curl:curl hey:hey wrk:wrk nginx:nginx apache2:apache2-bin haproxy:haproxy
	lighttpd:lighttpd /usr/lib/lighttpd/mod_openssl.so:lighttpd-mod-openssl /usr/lib/lighttpd/mod_deflate.so:lighttpd-mod-deflate)

PATH=$PATH:/usr/sbin
missing=()
for need in "${needs[@]}"; do
	what=${need%%:*}
	command -v "$what" >/dev/null || [ -e "$what" ] || missing+=("${need##*:}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	# Tests run servers of their own; that Debian starts one at its installation is not wanted.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	exit 0
fi
echo "missing: ${missing[*]}" >&2
echo "install them, for instance: sudo apt-get install ${missing[*]}" >&2
exit 1
