#!/usr/bin/env bash
# Installs what `npm pack` makes into an empty prefix, as a user's `npm install -g` would, and uploads a file with it.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tarball=$(npm pack --silent --pack-destination "$work" | tail -n 1)
npm install --silent --global --prefix "$work/prefix" "$work/$tarball"
PATH="$work/prefix/bin:$PATH"

export EXHIBIT_CONFIG_DIR="$work/config" EXHIBIT_STATE_DIR="$work/state" EXHIBIT_KEY_FILE="$work/keys.json"
cd "$work"
mkdir store
head -c 3000000 /dev/urandom > clip.bin
exhibit --version
exhibit store add disk "file://$work/store"
exhibit upload clip.bin --store disk --case CI/1 --ref CI/1
exhibit verify CI/1:CI/1 --store disk
cmp clip.bin "$work/store/CI_1/CI_1/CI_1-0001.bin"
echo "check-package: the installed package uploads and verifies"
