# All output is below $(BUILD). Each folder becomes a static library of its sources except main.c, and, if it has a
# main.c, also a program. `make VARIANT=asan` builds a second tree with sanitizers.
#
# Variables may change from one call to the next: `make`, then `sudo make install PREFIX=/usr`. So files record the values
# that the outputs were built with (see `record`), and an installed program is always built for its own prefix.

PREFIX     ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SYSTEMDIR  ?= $(PREFIX)/lib/systemd/system
USERDIR    ?= $(DATADIR)/systemd/user
VARIANT    ?= release
BUILD      ?= build/$(VARIANT)

CC         ?= cc
PKG_CONFIG ?= pkg-config
WARNINGS   ?= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
              -Wpointer-arith -Wwrite-strings -Wundef
VERSION    := $(shell cat VERSION)
CPPFLAGS   += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I. -I$(BUILD)/gen -DLIBEXECDIR='"$(LIBEXECDIR)/sockwake"' \
              -DVERSION='"$(VERSION)"'
# If only one instance is awake, it shares no page of our programs with another. So the programs are small: no unwind tables
# (-g has its own), no unused functions or data, and only the data path is optimized for speed.
OPTIMIZE.release = -Os
OPTIMIZE.asan  = -O1
OPTIMIZE       = $(OPTIMIZE.$(VARIANT))
FORTIFY        = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS.release = $(OPTIMIZE) -g -fstack-protector-strong $(FORTIFY) \
                 -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
# Tables of pointers are relocated when a program starts; packed, that takes a tenth of the room (glibc 2.36 and newer can).
PACKED_BY     := $(shell grep -s GLIBC_ABI_DT_RELR "$$($(CC) -print-file-name=libc.so.6 2>/dev/null)" >/dev/null && echo glibc)
PACK.glibc     = -Wl,-z,pack-relative-relocs
LDFLAGS.release = -Wl,--gc-sections $(PACK.$(PACKED_BY))
CFLAGS.asan    = $(OPTIMIZE) -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# Test builds alone have fault points (common/fault.h), and the tests that need them.
FAULTS.asan    = -DFAULT_POINTS
CPPFLAGS   += $(FAULTS.$(VARIANT))
CFLAGS     += -std=gnu17 $(WARNINGS) $(CFLAGS.$(VARIANT))
LDFLAGS.asan = -fsanitize=address,undefined
LDFLAGS    += -Wl,--as-needed $(LDFLAGS.$(VARIANT))

# The project's libraries by folder, in link order, and system libraries by program.
LIBS.keeper    = handover instance common
LIBS.nshelper  = handover common
LIBS.proxy     = relay readiness confine dial handover instance common
LIBS.router   = rules relay confine dial handover instance common
LIBS.activator = lifecycle units backends handover instance common
LIBS.cli       = control lifecycle units backends handover instance common
SYSLIBS.nshelper  = libcap
SYSLIBS.proxy     = libseccomp
# libsystemd and libyaml are loaded on first use (units/library.h). Loading libraries dominates the start of the activator. -no-pie,
# -z now and -z norelro would save less than 0.1 ms, so it is linked like the others.
SYSLIBS.router = libcjson
SYSLIBS.activator = libcurl libcjson
SYSLIBS.cli       = libcurl libcjson smartcols

FOLDERS  = common instance handover backends units lifecycle dial readiness confine relay control rules $(PROGRAMS)
PROGRAMS = keeper nshelper proxy activator router cli
program  = $(BUILD)/$(if $(filter cli,$1),sockwake,$1)

sources  = $(wildcard $1/*.c $1/*/*.c)
objects  = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(call sources,$1)))
archive  = $(BUILD)/lib$1.a
archives = $(foreach f,$1,$(call archive,$f))
syslibs  = $(if $1,$(shell $(PKG_CONFIG) --libs $1))

# `make V=1` shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@echo "  $1	$@")

all: $(foreach p,$(PROGRAMS),$(call program,$p)) ## build the programs in build/release; VARIANT=asan: with sanitizers

# $(call record,FILE,VARIABLE): a file that contains the value of a variable. It is rewritten only when the value changes,
# and then its dependents are rebuilt.
quote = '$(subst ','\'',$1)'
define record
$(BUILD)/obj/$1: always
	@mkdir -p $$(@D)
	@printf '%s\n' $$(call quote,$$($2)) | cmp -s - $$@ || { \
		printf '%s\n' $$(call quote,$$($2)) >$$@.new && mv -f $$@.new $$@; }
endef
always:

# Only sources that use these two macros get them, and only those are recompiled when a value changes.
TOLD        = $(filter -DLIBEXECDIR=% -DVERSION=%,$(CPPFLAGS))
TOLD_FILES := $(shell grep -lwE 'LIBEXECDIR|VERSION' $(foreach f,$(FOLDERS) tests/unit,$(wildcard $f/*.c $f/*/*.c)))
COMPILE     = $(CC) $(filter-out $(TOLD),$(CPPFLAGS)) $(CFLAGS)
LINK_FLAGS  = $(LDFLAGS) $(foreach p,$(PROGRAMS),$p: $(LDFLAGS.$p) $(SYSLIBS.$p))
OBJECTS     = $(foreach f,$(FOLDERS),$(call objects,$f))
$(eval $(call record,told,TOLD))
$(eval $(call record,flags,COMPILE))
$(eval $(call record,link-flags,LINK_FLAGS))
$(eval $(call record,objects,OBJECTS))

define folder_rules
$(call archive,$1): $(call objects,$1) $(BUILD)/obj/objects
	@rm -f $$@
	@ar crs $$@ $$(filter %.o,$$^)
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

define program_rules
$(call program,$1): $(BUILD)/obj/$1/main.o $(call archives,$1 $(LIBS.$1)) $(BUILD)/obj/flags $(BUILD)/obj/link-flags
	$$(call say,LINK)
	@rm -f $$@
	$$(Q)$$(CC) $$(LDFLAGS) $$(LDFLAGS.$1) -o $$@ $$(filter %.o %.a,$$^) $$(call syslibs,$$(SYSLIBS.$1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

# $(call needs,GROUP...) is a command that names what is missing of these groups, before a compiler says it in its own way.
needs = CC=$(call quote,$(CC)) PKG_CONFIG=$(call quote,$(PKG_CONFIG)) tests/needs $1
$(BUILD)/obj/needs-%: tests/needs $(BUILD)/obj/flags
	@mkdir -p $(@D)
	@$(call needs,build $*) && touch $@

# The old object is removed first: root may have made it, in the directory of a user who rebuilds it.
$(BUILD)/obj/%.o: %.c $(BUILD)/obj/flags | $(BUILD)/obj/needs-build
	$(call say,CC)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(COMPILE) $(DEFINES) -MMD -MP -c -o $@ $<

$(BUILD)/obj/relay/%.o: private OPTIMIZE.release = -O2

# The system calls that the confined proxy may make.
CONFINED = $(foreach f,$(LIBS.proxy) proxy,$(wildcard $f/*.c))
$(BUILD)/gen/confine/syscalls.h: confine/syscalls $(CONFINED) $(BUILD)/obj/objects
	@mkdir -p $(@D)
	@confine/syscalls confine/seccomp.c $(CONFINED) >$@.new && mv -f $@.new $@
$(BUILD)/obj/confine/seccomp.o build/fuzz/obj/confine/seccomp.o: $(BUILD)/gen/confine/syscalls.h

$(TOLD_FILES:%.c=$(BUILD)/obj/%.o): $(BUILD)/obj/told
$(TOLD_FILES:%.c=$(BUILD)/obj/%.o): private DEFINES = $(TOLD)

# Unit tests: tests/unit/FOLDER_SUBJECT_test.c may use all our libraries.
# They run for moments, and are compiled in a tenth of the time without optimization, which FORTIFY, and what is known of the
# length of texts, would need.
$(BUILD)/obj/tests/unit/%.o: private OPTIMIZE = -O0 -Wno-format-truncation
$(BUILD)/obj/tests/unit/%.o: private FORTIFY = -U_FORTIFY_SOURCE
TESTED = $(PROGRAMS) rules relay readiness confine dial control lifecycle units backends handover instance common
UNTESTED = $(if $(FAULTS.$(VARIANT)),,%_fault_test.c)
TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter-out $(UNTESTED),$(wildcard tests/unit/*_test.c)))
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/*.c)): | $(BUILD)/obj/needs-unit
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/obj/tests/unit/filter.o $(BUILD)/obj/tests/unit/shortage.o \
		$(call archives,$(TESTED)) \
		$(BUILD)/obj/link-flags
	$(call say,LINK)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=_cmocka_run_group_tests,--wrap=malloc,--wrap=calloc -o $@ $(filter %.o,$^) $(call archives,$(TESTED)) \
		$(call syslibs,cmocka libseccomp libcap libcurl libcjson smartcols)

# The unit tests also run the programs.
tests: all $(TESTS) ## build the programs and the unit tests

check-unit: tests $(call program,proxy) ## run the unit tests; VARIANT=asan: with sanitizers
	@tests/unit/run $(TESTS)

# Fuzzing: runs each tests/fuzz/FOLDER_SUBJECT_fuzz.c for FUZZ_SECONDS. Needs clang. All fuzz targets share one object tree.
FUZZ_SECONDS ?= 5
FUZZ_FLAGS    = -fsanitize=address,undefined -fno-sanitize-recover=all -g -O1
FUZZERS      = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_OBJECTS = $(patsubst %.c,build/fuzz/obj/%.o,$(if $(findstring fuzz,$(MAKECMDGOALS)),$(shell tests/fuzz/sources)))
build/fuzz/obj/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=fuzzer-no-link $(FUZZ_FLAGS) $(CPPFLAGS) -std=gnu17 -MMD -MP -c -o $@ $<

build/fuzz/libsockwake.a: $(FUZZ_OBJECTS)
	@rm -f $@
	@ar crs $@ $^

build/fuzz/%_fuzz: build/fuzz/obj/tests/fuzz/%_fuzz.o build/fuzz/libsockwake.a
	$(call say,FUZZER)
	$(Q)clang -fsanitize=fuzzer $(FUZZ_FLAGS) -o $@ $^ $(call syslibs,libseccomp libcap libcurl libcjson smartcols)

-include $(shell find build/fuzz -name '*.d' 2>/dev/null)

fuzzers: $(FUZZERS)

check-fuzz: $(BUILD)/obj/needs-fuzz ## run each fuzz target for FUZZ_SECONDS
	@$(MAKE) --no-print-directory -j$$(nproc) fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

# Static checks. Each disabled check has its reason in .clang-tidy or here:
# missingIncludeSystem: system headers are not analysed; unusedFunction cannot see across programs (tests/structure can).
C_FILES = $(foreach f,$(FOLDERS),$(wildcard $f/*.c $f/*/*.c))
check-static: $(BUILD)/obj/needs-static check-32 all ## run cppcheck, clang-tidy and tests/structure, and compile for 32 bits
	@tests/structure $(BUILD)/obj
	cppcheck --quiet -j $$(nproc) --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppress=missingIncludeSystem --suppress=memleak $(filter -D_% -I%,$(CPPFLAGS)) $(FOLDERS)
	@clang-tidy --version >/dev/null
	@printf '%s\n' $(C_FILES) | xargs --max-procs=$$(nproc) --max-args=8 sh -c \
		'clang-tidy --quiet "$$@" -- $(subst ','\'',$(CPPFLAGS)) -std=gnu17 2>/dev/null' sh

# Checks that the sources compile without warnings for 32-bit pointers. Uses x86 with the headers of x86-64, which support
# both, except for one file that only the 32-bit libc has; so this needs only a compiler.
MULTIARCH = $(shell $(CC) -print-multiarch)
check-32: $(BUILD)/gen/confine/syscalls.h
	@mkdir -p $(BUILD)/32/gnu && touch $(BUILD)/32/gnu/stubs-32.h
	@printf '%s\n' $(C_FILES) | xargs --max-procs=$$(nproc) --max-args=8 sh -c 'for f; do \
		$(subst ','\'',$(CC) -m32 -Wno-psabi -isystem $(BUILD)/32 -isystem /usr/include/$(MULTIARCH) $(CPPFLAGS) $(CFLAGS)) \
			-fsyntax-only "$$f" || exit 1; done' sh

check-integration: $(BUILD)/obj/needs-lab ## run the integration tests: real managers, engines and servers, in labs (HACKING.md)
	tests/integration/run

# Mutation tests: do the unit tests detect defects? tests/mutants explains how. MUTANT_FILES="FILE FILE:LINE" limits them.
MUTANTS       ?= 200
MUTANTS_LEAST ?= 92
check-mutants: ## check that unit tests detect MUTANTS mutants; MUTANTS_LEAST: minimum per cent killed; SEED: repeat a run
	@tests/mutants --mutants=$(MUTANTS) --least=$(MUTANTS_LEAST) --seed=$(SEED) $(MUTANT_FILES)

# Tests the targets that are not test suites: demo, benches, installation and the like.
check-targets: ## run the other targets: demo, benches, installation
	@tests/targets

# As the README promises, this first installs everything that the tests need, then runs all tests.
check: ## install what the tests need, then run all tests
	tests/setup
	@tests/check all 'check-unit + check-unit VARIANT=asan' 'check-targets + check-fuzz' check-integration

# tests/bench/wake documents BENCH_OPTIONS.
bench-wake: ## measure wake times, compared with other set-ups
	tests/setup
	tests/bench/wake $(BENCH_OPTIONS)

# tests/bench/proxy documents BENCH_OPTIONS.
bench-proxy: ## measure throughput and cost of the proxy, compared with others
	tests/setup
	tests/bench/proxy $(BENCH_OPTIONS)

# tests/bench/crossover documents BENCH_OPTIONS.
bench-crossover: ## measure one account's client connected to another account's container
	tests/setup
	tests/bench/crossover $(BENCH_OPTIONS)

# tests/bench/router documents BENCH_OPTIONS.
bench-router: ## measure what the router costs a client of an engine, compared with other relays
	tests/setup
	tests/bench/router $(BENCH_OPTIONS)

# Where zsh looks for functions of packages: below /usr Debian uses a directory of its own.
ZSH_FUNCTIONS = $(if $(and $(filter /usr,$(PREFIX)),$(wildcard /etc/debian_version)),vendor-completions,site-functions)

# Installing may replace running programs at any moment (packaging/install). Only root can read nshelper and proxy: a
# container can reach a process in its namespaces if the process may read its own executable. So can a user one of the
# router's workers, which run as that user.
LIBEXEC_PROGRAMS = $(filter-out cli,$(PROGRAMS))
MANIFEST = $(LIBEXECDIR)/sockwake/installed
MODES    = nshelper=0711 proxy=0711 router=0711
mode     = $(or $(patsubst $1=%,%,$(filter $1=%,$(MODES))),0755)
INSTALLED = 0755:$(call program,cli):$(BINDIR)/sockwake \
	$(foreach p,$(LIBEXEC_PROGRAMS),$(call mode,$p):$(call program,$p):$(LIBEXECDIR)/sockwake/$p) \
	$(foreach m,$(wildcard man/*.[18]),0644:$m:$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	0644:completions/sockwake.bash:$(DATADIR)/bash-completion/completions/sockwake \
	0644:completions/sockwake.zsh:$(DATADIR)/zsh/$(ZSH_FUNCTIONS)/_sockwake \
	0644:completions/sockwake.fish:$(DATADIR)/fish/vendor_completions.d/sockwake.fish \
	0644:packaging/sockwake.sysusers:$(SYSUSERSDIR)/sockwake.conf \
	$(call wanted,sockwake-attend,$(SYSTEMDIR),docker.service) \
	$(call wanted,sockwake-attend-boot,$(SYSTEMDIR),multi-user.target) \
	$(call wanted,sockwake-attend-boot,$(USERDIR),default.target) \
	0644:packaging/sockwake-router.socket:$(SYSTEMDIR)/sockwake-router.socket \
	0644:$(BUILD)/sockwake-router@.socket:$(SYSTEMDIR)/sockwake-router@.socket \
	$(foreach u,sockwake-router sockwake-router@,0644:$(BUILD)/$u.service:$(SYSTEMDIR)/$u.service) \
	0644:packaging/sockwake-router-status.socket:$(SYSTEMDIR)/sockwake-router-status.socket \
	$(foreach d,$(SYSTEMDIR) $(USERDIR),0644:packaging/sockwake-engines.target:$d/sockwake-engines.target)
# A generated unit, and the link from the unit that wants it.
wanted   = 0644:$(BUILD)/$1.service:$2/$1.service link:../$1.service:$2/$3.wants/$1.service
$(BUILD)/%.service: packaging/%.service $(BUILD)/obj/places
	$(Q)sed 's,@BINDIR@,$(BINDIR),; s,@LIBEXECDIR@,$(LIBEXECDIR),' $< >$@
$(BUILD)/%.socket: packaging/%.socket $(BUILD)/obj/places
	$(Q)sed 's,@LIBEXECDIR@,$(LIBEXECDIR),' $< >$@
PLACES   = $(BINDIR) $(LIBEXECDIR)
$(eval $(call record,places,PLACES))

# Gives files that root has built to the owner of the tree, who goes on building.
UNITS = sockwake-attend sockwake-attend-boot sockwake-router sockwake-router@
install: all $(UNITS:%=$(BUILD)/%.service) $(BUILD)/sockwake-router@.socket ## install; default PREFIX: /usr/local
	@chown -R --reference=. $(BUILD) 2>/dev/null || true
	@DESTDIR=$(call quote,$(DESTDIR)) packaging/install $(MANIFEST) $(INSTALLED)
	@DESTDIR=$(call quote,$(DESTDIR)) packaging/settle $(BINDIR)/sockwake $(SYSUSERSDIR)/sockwake.conf \
		$(SYSTEMDIR)

# Without PREFIX or LIBEXECDIR it finds the installation itself. It refuses while instances exist, unless FORCE=1.
uninstall: ## uninstall, from wherever it was installed
	@DESTDIR=$(call quote,$(DESTDIR)) FORCE=$(call quote,$(FORCE)) packaging/uninstall \
		$(if $(filter-out file,$(origin PREFIX) $(origin LIBEXECDIR)),$(MANIFEST))

demo: ## demonstrate wakes of real containers
	tests/setup
	tests/integration/demo $(DEMO_OPTIONS)

# Lists each rule that has "##" after it.
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1\t\2/p' Makefile | expand --tabs=20

format: ## format the sources with clang-format
	clang-format -i $(C_FILES) $(wildcard */*.h */*/*.h tests/unit/*.c tests/fuzz/*.c)

clean: ## remove build/
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: always all tests check-unit fuzzers check-fuzz check-static check-32 check-integration check-targets check-mutants \
	check bench-wake bench-proxy bench-crossover bench-router install uninstall demo help format clean
.SECONDARY:
