#!/usr/bin/env bash
# Renders a folder with kustomize, functions included, and fails when the result is not the one that is committed.
#
#   render-check.sh FOLDER FILE            exits 1 and prints the difference
#   render-check.sh FOLDER FILE --update   writes the file
#
# KUSTOMIZE is the kustomize to run (default: kustomize).
set -euo pipefail

folder=$1 committed=$2
read -ra kustomize <<<"${KUSTOMIZE:-kustomize}"
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT

# Both flags: with the first alone kustomize skips the function and says nothing.
"${kustomize[@]}" build --enable-alpha-plugins --enable-exec "$folder" >"$rendered"

if [ "${3:-}" = --update ]; then
  cp "$rendered" "$committed"
  exit
fi
if ! diff -u "$committed" "$rendered"; then
  echo "the rendered result differs from $committed: look at the difference, then run $0 $folder $committed --update" >&2
  exit 1
fi
