noinst_LTLIBRARIES += %D%/libconfig.la
%C%_libconfig_la_SOURCES = \
	%D%/auth.c %D%/auth.h \
	%D%/dirs.c %D%/dirs.h \
	%D%/paths.c %D%/paths.h
config_link = %D%/libconfig.la
config_objects = $(%C%_libconfig_la_OBJECTS)
