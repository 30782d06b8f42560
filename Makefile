# The extension, by PGXS: make, make install, make installcheck; PG_CONFIG chooses the Postgres.
# What is not the extension (unit tests, sandbox, benchmarks) is built by CMakeLists.txt.

PG_CONFIG ?= pg_config
project := $(dir $(lastword $(MAKEFILE_LIST)))
include $(project)src/sources.mk
in_project = $(patsubst $(project)%,%,$(wildcard $(project)$(1)))

EXTENSION = control/reverse_etl
DATA = $(call in_project,control/reverse_etl--*.sql)
version := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(project)control/reverse_etl.control)
DATA_built = reverse_etl--$(version).sql
MODULE_big = reverse_etl
# Errors that tests inject (border/injection_point.h). What is installed on a server has none.
INJECTION_POINTS ?= no
ifneq ($(INJECTION_POINTS),yes)
left_out = src/postgres/border/injection_point.cpp
endif
# Where the engine has been compiled already, with a slash at the end; without, it is compiled here.
ENGINE_OBJECTS ?=
OBJS = $(patsubst %.cpp,$(ENGINE_OBJECTS)%.o,$(ENGINE_SOURCES)) \
    $(patsubst %.cpp,%.o,$(filter-out $(left_out),$(POSTGRES_SOURCES)))
REGRESS = $(patsubst sql/%.sql,%,$(sort $(call in_project,sql/*.sql)))
compiled_here = $(filter src/%,$(OBJS))
EXTRA_CLEAN = $(compiled_here:.o=.d) precompiled

PG_CPPFLAGS = -I$(project)src -MMD -MP
# EXTRA_CXXFLAGS is for whoever calls make.
# g++ 12 warns of overlaps and overruns inside std::string's operator+ that cannot be (GCC bug 105651).
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -O2 -fvisibility=hidden \
    -fvisibility-inlines-hidden $(EXTRA_CXXFLAGS)
SHLIB_LINK = -lcurl -lsimdjson -lcrypto -lz -lstdc++

# The bitcode for Postgres's JIT would need clang, and inlines nothing of C++.
override with_llvm = no

# A Postgres that was built within its sources does not say it for builds outside of ours.
ifneq ($(abspath $(project)),$(CURDIR))
VPATH ?= $(patsubst %/,%,$(project))
endif
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Postgres records the flags of the compiler it was built with; an older one refuses these.
newer_flags = -fexcess-precision=standard -Wmissing-variable-declarations
override CFLAGS := $(filter-out $(newer_flags),$(CFLAGS))
override CXXFLAGS := $(filter-out $(newer_flags),$(CXXFLAGS))
# -Wextra is for this project's code, not for Postgres's headers.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))

# CREATE EXTENSION reads one file; people read one for each subject.
$(DATA_built): $(sort $(wildcard $(project)control/install/*.sql))
	cat $^ > $@

# They stand at the border of the two encodings (server_text.h).
raw_text = border names server_text sql
$(raw_text:%=src/postgres/border/%.o): private override CPPFLAGS += -DREVERSE_ETL_RAW_TEXT
ifeq ($(INJECTION_POINTS),yes)
injection_points = src/postgres/border/injection_point.o src/postgres/border/settings.o \
    src/postgres/syncs/straight_run.o $(filter src/postgres/fdw/%,$(OBJS))
$(injection_points): private override CPPFLAGS += -DREVERSE_ETL_INJECTION_POINTS
endif
# The library knows of which version it is.
src/postgres/border/schema_version.o: private override CPPFLAGS += -DREVERSE_ETL_VERSION='"$(version)"'

# A build outside of the source tree (make -f) has no folders yet; whole paths, lest VPATH find those of the sources.
object_dirs = $(addprefix $(CURDIR)/,$(sort $(dir $(compiled_here))))
$(compiled_here): | $(object_dirs)
$(object_dirs):
	$(MKDIR_P) $@
-include $(compiled_here:.o=.d)

# Reading headers takes most of the time that compiling takes: those that most files include are compiled once.
engine_objects = $(filter src/engine/%,$(OBJS))
postgres_objects = $(filter src/postgres/%,$(OBJS))
$(engine_objects): private override CXXFLAGS += -include precompiled/engine.h
$(engine_objects): precompiled/engine.h.gch
$(postgres_objects): private override CXXFLAGS += -include precompiled/postgres.h
$(postgres_objects): precompiled/postgres.h.gch
precompiled/%.h.gch: src/precompiled/%.h | $(CURDIR)/precompiled/
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -x c++-header -o $@ $<
$(CURDIR)/precompiled/:
	$(MKDIR_P) $@
-include $(wildcard precompiled/*.d)

connectors_dir = $(DESTDIR)$(datadir)/reverse_etl/connectors
.PHONY: install-connectors uninstall-connectors
install: install-connectors
install-connectors:
	$(MKDIR_P) '$(connectors_dir)'
	$(INSTALL_DATA) $(filter-out %.test.json,$(wildcard $(srcdir)/connectors/*.json)) '$(connectors_dir)/'
uninstall: uninstall-connectors
uninstall-connectors:
	rm -rf '$(DESTDIR)$(datadir)/reverse_etl'

# The tests in sql/ talk to the sandbox.
pg_regress = $(top_builddir)/src/test/regress/pg_regress
pg_regress_installcheck := $(subst $(pg_regress),$(project)test/with_sandbox --tls $(pg_regress),$(pg_regress_installcheck))
