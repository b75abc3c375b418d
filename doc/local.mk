# Man pages are printed by the programs themselves, from the tables that also feed parser and --help.
# A page a program, and one a command of those that have commands.
%C%_programs = rkt rkt-run rkt-pod rkt-store aci-hash aci-validate aci-extract aci-build
%C%_rkt_store = init config fetch import list info cat-manifest export extract render rm gc stat verify trust
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

# Completion of command lines, made the same way, where each shell looks for it. bash finds a file by the
# command's name; zsh by the name of its function.
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
nodist_bashcomp_DATA = $(%C%_programs:%=%D%/completion/bash/%)
nodist_zshcomp_DATA = $(%C%_programs:%=%D%/completion/zsh/_%)
nodist_fishcomp_DATA = $(%C%_programs:%=%D%/completion/fish/%.fish)
CLEANFILES += $(nodist_bashcomp_DATA) $(nodist_zshcomp_DATA) $(nodist_fishcomp_DATA)
%C%_complete = $(AM_V_GEN)$(MKDIR_P) $(@D) && \
	./$< --print-completion=$(1) >$@.tmp </dev/null && mv -f $@.tmp $@

$(nodist_bashcomp_DATA): %D%/completion/bash/%: %$(EXEEXT)
	$(call %C%_complete,bash)
$(nodist_zshcomp_DATA): %D%/completion/zsh/_%: %$(EXEEXT)
	$(call %C%_complete,zsh)
$(nodist_fishcomp_DATA): %D%/completion/fish/%.fish: %$(EXEEXT)
	$(call %C%_complete,fish)

EXTRA_DIST += %D%/design.md %D%/formats.md %D%/security-tests.md %D%/json.md %D%/other-tars.md \
	%D%/spec-readings.md %D%/stage1-contract.md %D%/trust.md \
	%D%/examples/image-cat.c %D%/examples/image-list.c
