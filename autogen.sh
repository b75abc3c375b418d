#!/bin/sh
# Makes ./configure from configure.ac and Makefile.am. Needed once after a checkout.
set -eu
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all,no-obsolete
