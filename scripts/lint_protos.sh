#!/usr/bin/env bash
# Runs buf's lint on proto/, by the rules of proto/buf.yaml. buf is no Debian package: it comes from
# npm, without running any install script, into build/buf. Where neither buf nor npm can be had, this
# says so and passes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=1.50.0
home=$root/build/buf
buf=$home/node_modules/.bin/buf

# buf refuses a module without files.
for module in api content; do
  if [[ -z $(find "$root/proto/$module" -name '*.proto' -print -quit 2>/dev/null) ]]; then
    echo "   not linted: proto/$module has no files"
    exit 0
  fi
done
if [[ ! -x $buf ]]; then
  if ! command -v npm >/dev/null; then
    echo "   not linted: buf comes from npm, and npm is not installed"
    exit 0
  fi
  mkdir -p "$home"
  if ! timeout 120 npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --no-save \
    --fetch-retries=0 "@bufbuild/buf@$version" >"$home/npm.log" 2>&1; then
    rm -rf "$home/node_modules"
    echo "   not linted: npm could not fetch buf (is there a network?); see build/buf/npm.log"
    exit 0
  fi
fi
cd "$root/proto"
"$buf" lint
echo "   buf $("$buf" --version): lint passes"
