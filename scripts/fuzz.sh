#!/usr/bin/env bash
# Runs each fuzz target of the module, one after the other, for an equal part of the whole time.
# Usage: fuzz.sh SECONDS, such as 60s
set -euo pipefail
total=${1:?usage: fuzz.sh 60s}
total=${total%s}
mapfile -t targets < <(git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | awk '{print $2}' | sort)
mapfile -t files < <(git grep -lE '^func Fuzz' -- '*_test.go')
each=$((total / ${#targets[@]}))
[ "$each" -ge 1 ] || each=1
for file in "${files[@]}"; do
	dir=./$(dirname "$file")
	while read -r target; do
		echo "$dir $target ${each}s"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${each}s" "$dir"
	done < <(grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | awk '{print $2}')
done
