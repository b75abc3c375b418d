# These link base, aci and cli only: tests/lint/links.sh reads their ldd.
bin_PROGRAMS += aci-hash aci-validate aci-extract aci-build
aci_hash_SOURCES = %D%/aci-hash.c
aci_validate_SOURCES = %D%/aci-validate.c
aci_extract_SOURCES = %D%/aci-extract.c
aci_build_SOURCES = %D%/aci-build.c
aci_hash_LDADD = cli/libcli.la aci/libaci.la base/libbase.la
aci_validate_LDADD = $(aci_hash_LDADD)
aci_extract_LDADD = $(aci_hash_LDADD)
aci_build_LDADD = $(aci_hash_LDADD)
