# These link base, aci and cli only: tests/lint/links.sh reads their ldd.
bin_PROGRAMS += aci-hash aci-validate aci-extract aci-build
aci_files = %D%/files.c %D%/files.h %D%/limits.h
aci_hash_SOURCES = %D%/aci-hash.c %D%/sums.c %D%/sums.h $(aci_files)
aci_validate_SOURCES = %D%/aci-validate.c %D%/findings.c %D%/findings.h %D%/findings_junit.c \
	%D%/findings_sarif.c %D%/signature.c %D%/signature.h %D%/subject.c %D%/subject.h $(aci_files)
aci_extract_SOURCES = %D%/aci-extract.c $(aci_files)
aci_build_SOURCES = %D%/aci-build.c %D%/compose.c %D%/compose.h \
	%D%/job.c %D%/job.h %D%/sign.c %D%/sign.h $(aci_files)
aci_hash_LDADD = cli/libcli.la $(aci_link)
aci_validate_LDADD = $(aci_hash_LDADD)
aci_extract_LDADD = $(aci_hash_LDADD)
aci_build_LDADD = cli/libcli.la $(build_link)
