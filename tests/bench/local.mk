check_PROGRAMS += %D%/store-scale %D%/cost
%C%_store_scale_LDADD = $(store_link)
%C%_cost_LDADD = $(base_link)
EXTRA_DIST += %D%/timing.sh %D%/aci-tools.sh %D%/fetch.sh %D%/image.sh %D%/import.sh %D%/mount.sh %D%/run.sh %D%/scale.sh \
	%D%/many-entries.py
