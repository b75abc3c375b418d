# Man pages are printed by the programs themselves, from the tables that also feed parser and --help.
# A page a program, and one a command of those that have commands.
%C%_programs = rkt rkt-run rkt-pod rkt-store aci-hash aci-validate aci-extract aci-build
%C%_rkt_store = fetch import list info cat-manifest export extract render rm gc
%C%_rkt_pod = list status rm gc

%C%_program_pages = $(%C%_programs:%=%D%/man/%.1)
%C%_rkt_store_pages = $(%C%_rkt_store:%=%D%/man/rkt-store-%.1)
%C%_rkt_pod_pages = $(%C%_rkt_pod:%=%D%/man/rkt-pod-%.1)
nodist_man1_MANS = $(%C%_program_pages) $(%C%_rkt_store_pages) $(%C%_rkt_pod_pages)
CLEANFILES += $(nodist_man1_MANS)

# The page appears whole or not at all.
%C%_print = $(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(1) --print-man >$@.tmp </dev/null && mv -f $@.tmp $@

$(%C%_program_pages): %D%/man/%.1: %$(EXEEXT)
	$(call %C%_print,./$<)
$(%C%_rkt_store_pages): %D%/man/rkt-store-%.1: rkt-store$(EXEEXT)
	$(call %C%_print,./$< $*)
$(%C%_rkt_pod_pages): %D%/man/rkt-pod-%.1: rkt-pod$(EXEEXT)
	$(call %C%_print,./$< $*)

EXTRA_DIST += %D%/design.md %D%/formats.md %D%/spec-readings.md %D%/stage1-contract.md \
	%D%/trust.md
