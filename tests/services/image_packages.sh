#!/usr/bin/env bash
# Fails where deploy/Dockerfile does not install the packages whose libraries its binaries load, or
# installs one that none of them needs.
#
#   image_packages.sh DOCKERFILE BINARY...
set -euo pipefail
dockerfile=$1
shift

# The last stage's packages.
mapfile -t listed < <(awk '/^FROM/ {stage++} stage == 2' "$dockerfile" |
  sed -n 's/^ \{6\}\(lib[a-z0-9.+-]*\) \\$/\1/p')
[[ ${#listed[@]} -gt 0 ]] || { echo "no packages found in $dockerfile"; exit 1; }

# What these bring with them.
declare -A depends=() there=()
while IFS=$'\t' read -r package what; do
  depends[$package]=$(tr ',' '\n' <<<"$what" | sed 's/[|(:].*//')
done < <(dpkg-query -W -f='${Package}\t${Depends}\n' 'lib*')
queue=("${listed[@]}")
while [[ ${#queue[@]} -gt 0 ]]; do
  package=${queue[0]} queue=("${queue[@]:1}")
  [[ -z ${there[$package]:-} ]] || continue
  there[$package]=1
  queue+=(${depends[$package]:-})
done

# The libraries that each binary names itself.
declare -A path_of=()
for binary in "$@"; do
  directly=$(objdump -p "$binary" | sed -n 's/^ *NEEDED *//p')
  while read -r library path; do
    if grep -qxF "$library" <<<"$directly"; then path_of[$library]=$path; fi
  done < <(ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}')
done

# Whose they are: /lib is /usr/lib, and dpkg knows either name.
declare -A owner=()
while read -r package path; do
  owner[$(basename "$path")]=$package
done < <(for path in "${path_of[@]}"; do printf '%s\n' "${path#/usr}" "/usr${path#/usr}"; done |
  xargs dpkg-query -S 2>/dev/null | sed 's/^\([^:,]*\).*: /\1 /')

failed=0
declare -A needed=()
for library in "${!path_of[@]}"; do
  package=${owner[$library]:-}
  if [[ -z $package ]]; then
    echo "no package has $library"
    failed=1
  elif [[ -z ${there[$package]:-} ]]; then
    echo "a binary loads $library of $package, which the image has not"
    failed=1
  fi
  needed[${package:-none}]=1
done
for package in "${listed[@]}"; do
  if [[ -z ${needed[$package]:-} ]]; then
    echo "the image has $package, which nothing of ours loads"
    failed=1
  fi
done
echo "${#listed[@]} packages, ${#needed[@]} needed"
exit $failed
