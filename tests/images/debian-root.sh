#!/bin/sh
# Unpacks Debian packages into a directory, as a root file system: nothing is installed or configured.
# usage: debian-root.sh DIR PACKAGE...
# Downloads are kept in $RKT_PACKAGE_CACHE when that is set.
set -eu
dir=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cache=${RKT_PACKAGE_CACHE:-$scratch}
mkdir -p "$dir" "$cache"
for package in "$@"; do
    file=$(find "$cache" -name "${package}_*.deb" | head -n 1)
    if [ -z "$file" ]; then
        (cd "$cache" && apt-get -qq -o APT::Sandbox::User=root download "$package" >&2)
        file=$(find "$cache" -name "${package}_*.deb" | head -n 1)
    fi
    dpkg-deb -x "$file" "$dir"
done
