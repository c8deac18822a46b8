#!/usr/bin/env bash
# Puts what the image contains into a folder: the built service, the licences of what is bundled, and ours. The Dockerfile calls this, too.
set -euo pipefail
if [ $# -ne 1 ]; then echo "Usage: $0 FOLDER" >&2; exit 2; fi
target=$1
cd "$(dirname "$0")/../.."
built=apps/ingress-egress/dist
if [ ! -f "$built/main.mjs" ]; then
  echo "$built/main.mjs is missing: run npx nx build ingress-egress first" >&2
  exit 1
fi
if [ -e "$target/app" ]; then
  echo "$target/app is there already: name an empty folder" >&2
  exit 1
fi
mkdir -p "$target/app/chunks"
cp "$built"/*.mjs LICENSE "$target/app/"
cp "$built"/chunks/*.mjs "$target/app/chunks/"
# Licences lie beside each file that bundles something of others; the entry point may bundle nothing.
find "$built" -maxdepth 1 -name '*.LEGAL.txt' -exec cp {} "$target/app/" \;
find "$built/chunks" -name '*.LEGAL.txt' -exec cp {} "$target/app/chunks/" \;
# Readable by whoever it runs as, writable by nobody.
chmod -R u=rwX,go=rX "$target/app"
chmod -R a-w "$target/app"
