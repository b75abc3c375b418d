#!/bin/sh
# The layers of doc/design.md, by what each folder includes:
# base < config, aci < store/index, store/fetch, store/trust < store < runner; cli and stage1 beside them.
# Every outside library has one door.
. "${top_srcdir:-.}/tests/lint/tap.sh"
cd "$top_srcdir" || exit 1

# may FOLDER ALLOWED...: files directly in FOLDER include, of our own headers, only from ALLOWED
may() {
    folder=$1
    shift
    allowed=$(printf '%s|' "$@")
    bad=$(grep -nE '^#include "' "$folder"/*.[ch] 2>/dev/null |
        grep -vE "#include \"(${allowed%|})/[a-z0-9_]+\.h\"|#include \"config\.h\"" || true)
    verdict "$folder includes only from: $*" "$bad"
}
may base base rkt
may config config base rkt
may aci aci base rkt
may cli cli base rkt
may aci-tools aci-tools aci cli base rkt
may store/index store/index aci base rkt
may store/fetch store/fetch config aci cli base rkt
may store/trust store/trust config aci cli base rkt
may store store config store/index store/fetch store/trust aci cli base rkt
may runner runner config store aci cli base rkt stage1
may stage1/common stage1/common stage1 aci base rkt
may stage1/native stage1/native stage1/common stage1 aci base rkt

bad=$(grep -n '#include "cli/' store/*.[ch] | grep -vE '^store/(cmd_[a-z_]*|rkt-store|cmd)\.[ch]:' || true)
verdict "the store library does not see cli" "$bad"
bad=$(grep -n '#include "cli/' store/trust/*.[ch] | grep -v '^store/trust/aci-verify-signature\.c:' || true)
verdict "store/trust does not see cli but in its program" "$bad"
bad=$(grep -n '#include "cli/' store/fetch/*.[ch] | grep -v '^store/fetch/rkt-read-page\.c:' || true)
verdict "store/fetch does not see cli but in its program" "$bad"
bad=$(grep -rn '#include "store/fetch/page\.h"' --include='*.[ch]' store runner | grep -vE '^store/fetch/(page|rkt-read-page)\.c:' || true)
verdict "pages are parsed by rkt-read-page only" "$bad"
bad=$(grep -n '#include "store/' runner/*.[ch] || true)
verdict "the runner sees the store through rkt/store.h only" "$bad"
bad=$(grep -nE '#include "stage1/' runner/*.[ch] | grep -v '"stage1/contract.h"' || true)
verdict "the runner sees of stage1 only contract.h" "$bad"
bad=$(grep -nE '^#include "(aci|base|cli|store|runner)/' include/rkt/*.h || true)
verdict "installed headers include no private ones" "$bad"

# door HEADER-PATTERN FILE-PATTERN: only these files include these system headers
door() {
    bad=$(grep -rnE "^#include <($1)" --include='*.[ch]' aci aci-tools base cli config include runner stage1 store |
        grep -vE "^($2):" || true)
    verdict "<$1> is included only by $2" "$bad"
}
door 'lmdb' 'store/db[a-z_]*\.[ch]'
door 'json-c|json\.h|json_' 'base/json\.c'
door 'archive' 'aci/pack\.c'
door 'openssl/' 'aci/digest\.c'
door 'lzma|bzlib|zstd|zlib|isa-l|igzip' 'aci/unpack[a-z0-9_]*\.[ch]'
door 'gpgme' 'store/trust/[a-z_]*\.[ch]'
door 'curl/' 'store/fetch/libcurl\.h'
door 'libxml/' 'store/fetch/page\.c'
bad=$(grep -rnE '__SANITIZE_|__has_feature' --include='*.[ch]' . | grep -v '^\./base/sanitized\.h:' || true)
verdict "sanitizers are asked for in base/sanitized.h only, as every compiler tells of them" "$bad"
plan
