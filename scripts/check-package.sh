#!/usr/bin/env bash
# Installs what `npm pack` makes into an empty prefix, as a user's `npm install -g` would, and uploads with it: to a folder,
# and to a server of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
tarball=$(npm pack --silent --pack-destination "$work" | tail -n 1)
npm install --silent --global --prefix "$work/prefix" "$work/$tarball"
PATH="$work/prefix/bin:$PATH"

export EXHIBIT_CONFIG_DIR="$work/config" EXHIBIT_STATE_DIR="$work/state" EXHIBIT_KEY_FILE="$work/keys.json"
cd "$work"
head -c 30000000 /dev/urandom > clip.bin
exhibit --version

mkdir folder
exhibit store add disk "file://$work/folder"
exhibit upload clip.bin --store disk --case CI/1 --ref CI/1
exhibit verify CI/1:CI/1 --store disk
cmp clip.bin "$work/folder/CI_1/CI_1/CI_1-0001.bin"

mkfifo listening
exhibit serve --data "$work/server" --port 0 --json --invitation-file "$work/invitation" > listening 2> server.log &
server=$!
url=$(head -n 1 listening | sed 's/.*"url":"\([^"]*\)".*/\1/')
exhibit login "$url" --invite-stdin < invitation
exhibit upload clip.bin --store "$url" --case CI/1 --ref CI/1
exhibit verify CI/1:CI/1 --store "$url"
cmp clip.bin "$work/server/content/CI_1/CI_1/CI_1-0001.bin"
echo "check-package: the installed package uploads to a folder and to its own server, and verifies"
