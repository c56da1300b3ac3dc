#!/usr/bin/env bash
# Writes an environment file with random secrets, readable by its owner alone. Never overwrites one.
# Usage: make-env.sh FILE
set -euo pipefail
file=${1:?usage: make-env.sh FILE}
if [ -e "$file" ]; then
	echo "$file exists; it stays as it is" >&2
	exit 0
fi
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
umask 077
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new" <<EOT
# Secrets of this fleet, made at random. Git ignores this file; keep it private.
ADMIN_BASIC_AUTH=admin:$(random)
DASHBOARD_SECRET=$(random)
EOT
mv "$new" "$file"
trap - EXIT
echo "made $file with random secrets" >&2
