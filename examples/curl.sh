#!/bin/sh
# Upload one video of up to 200 MiB with nothing but curl, and print where to watch it.
#
#   PARTWAY_API_KEY=... sh curl.sh FILE
set -eu

server=${PARTWAY_SERVER:-http://127.0.0.1:8080}
file=$1

# The API key is the user name, the password is empty.
id=$(curl --fail-with-body -sS -u "$PARTWAY_API_KEY:" -H 'Content-Type: application/json' \
  -d '{"title": "Uploaded with curl"}' "$server/videos" | sed -n 's/.*"videoId": *"\([A-Za-z0-9]*\)".*/\1/p')

curl --fail-with-body -sS -u "$PARTWAY_API_KEY:" -F "file=@$file" -o /dev/null "$server/videos/$id/source"

echo "$server/vod/$id"
