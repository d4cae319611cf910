# Everything is built below $(BUILD). A folder is a static library of all its sources but main.c, and, where it has a
# main.c, a program. `make VARIANT=asan` builds a second tree with sanitizers.
#
# What make is told may change from one call to the next: `make`, then `sudo make install PREFIX=/usr`. Files keep the
# values that others were made with (see `record`), so that what is installed was built for the place it is installed in.

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
# An instance that is awake alone shares no page of our programs with anybody. So they are small: no tables for unwinding
# (-g has its own), no function without use, and only what moves bytes is optimized for speed.
OPTIMIZE       = -Os
CFLAGS.release = $(OPTIMIZE) -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
                 -fno-asynchronous-unwind-tables -ffunction-sections
LDFLAGS.release = -Wl,--gc-sections
CFLAGS.asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS     += -std=gnu17 $(WARNINGS) $(CFLAGS.$(VARIANT))
LDFLAGS.asan = -fsanitize=address,undefined
LDFLAGS    += -Wl,--as-needed $(LDFLAGS.$(VARIANT))

# Libraries of the project by folder, in link order, and those of the system by program.
LIBS.keeper    = handover instance common
LIBS.nshelper  = handover common
LIBS.proxy     = relay readiness confine dial handover instance common
LIBS.activator = lifecycle units backends handover instance common
LIBS.cli       = control lifecycle units backends handover instance common
SYSLIBS.nshelper  = libcap
SYSLIBS.proxy     = libseccomp
# libsystemd is loaded when it is needed (units/bus_library.h). Libraries are what the activator's start costs; -no-pie, -z now,
# -z norelro make less than 0.1 ms, so it is linked like everything else.
SYSLIBS.activator = libcurl libcjson
SYSLIBS.cli       = libcurl libcjson

FOLDERS  = common instance handover backends units lifecycle dial readiness confine relay control $(PROGRAMS)
PROGRAMS = keeper nshelper proxy activator cli
program  = $(BUILD)/$(if $(filter cli,$1),sockwake,$1)

sources  = $(wildcard $1/*.c $1/*/*.c)
objects  = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(call sources,$1)))
archive  = $(BUILD)/lib$1.a
archives = $(foreach f,$1,$(call archive,$f))
syslibs  = $(if $1,$(shell $(PKG_CONFIG) --libs $1))

# `make V=1` shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@echo "  $1	$@")

all: $(foreach p,$(PROGRAMS),$(call program,$p)) ## the programs, in build/release; with VARIANT=asan in build/asan, with sanitizers

# $(call record,FILE,VARIABLE): a file with the value of a variable, written only when the value is another one. What
# depends on it is made anew then.
quote = '$(subst ','\'',$1)'
define record
$(BUILD)/obj/$1: always
	@mkdir -p $$(@D)
	@printf '%s\n' $$(call quote,$$($2)) | cmp -s - $$@ || { \
		printf '%s\n' $$(call quote,$$($2)) >$$@.new && mv -f $$@.new $$@; }
endef
always:

# Only the sources that name the two are told them, and compiled anew for others.
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

# What was there is removed first: root may have made it, in a directory of somebody who makes it again.
$(BUILD)/obj/%.o: %.c $(BUILD)/obj/flags
	$(call say,CC)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(COMPILE) $(DEFINES) -MMD -MP -c -o $@ $<

$(BUILD)/obj/relay/%.o: OPTIMIZE = -O2

# The system calls that the confined proxy may make.
CONFINED = $(foreach f,$(LIBS.proxy) proxy,$(wildcard $f/*.c))
$(BUILD)/gen/confine/syscalls.h: confine/syscalls $(CONFINED)
	@mkdir -p $(@D)
	@confine/syscalls confine/seccomp.c $(CONFINED) >$@
$(BUILD)/obj/confine/seccomp.o build/fuzz/obj/confine/seccomp.o: $(BUILD)/gen/confine/syscalls.h

$(TOLD_FILES:%.c=$(BUILD)/obj/%.o): $(BUILD)/obj/told
$(TOLD_FILES:%.c=$(BUILD)/obj/%.o): private DEFINES = $(TOLD)

# Unit tests: tests/unit/FOLDER_SUBJECT_test.c may use everything of ours.
TESTED = $(PROGRAMS) relay readiness confine dial control lifecycle units backends handover instance common
TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/obj/tests/unit/filter.o \
		$(call archives,$(TESTED)) \
		$(BUILD)/obj/link-flags
	$(call say,LINK)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(call archives,$(TESTED)) \
		$(call syslibs,cmocka libseccomp libcap libcurl libcjson)

# They run the programs, too.
tests: all $(TESTS) ## the unit tests as well

check-unit: tests $(call program,proxy) ## unit tests; VARIANT=asan: with sanitizers
	@tests/unit/run $(TESTS)

# Fuzzing: tests/fuzz/FOLDER_SUBJECT_fuzz.c, each for FUZZ_SECONDS. Needs clang. All targets share one tree of objects.
FUZZ_SECONDS ?= 5
FUZZ_FLAGS    = -fsanitize=address,undefined -fno-sanitize-recover=all -g -O1
FUZZERS      = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_OBJECTS = $(foreach f,$(FOLDERS),$(patsubst %.c,build/fuzz/obj/%.o,$(filter-out %/main.c,$(call sources,$f))))
build/fuzz/obj/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=fuzzer-no-link $(FUZZ_FLAGS) $(CPPFLAGS) -std=gnu17 -MMD -MP -c -o $@ $<

build/fuzz/libsockwake.a: $(FUZZ_OBJECTS)
	@rm -f $@
	@ar crs $@ $^

build/fuzz/%_fuzz: build/fuzz/obj/tests/fuzz/%_fuzz.o build/fuzz/libsockwake.a
	$(call say,FUZZER)
	$(Q)clang -fsanitize=fuzzer $(FUZZ_FLAGS) -o $@ $^ $(call syslibs,libseccomp libcap libcurl libcjson)

-include $(shell find build/fuzz -name '*.d' 2>/dev/null)

fuzzers: $(FUZZERS)

check-fuzz: ## each fuzz target for FUZZ_SECONDS
	@$(MAKE) --no-print-directory -j$$(nproc) fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

# Static checks. Each that is switched off has its reason in .clang-tidy or here:
# missingIncludeSystem: system headers are not analysed; unusedFunction cannot see across programs (tests/structure can).
C_FILES = $(foreach f,$(FOLDERS),$(wildcard $f/*.c $f/*/*.c))
check-static: check-32 all ## cppcheck, clang-tidy, the layout (tests/structure), 32 bits
	@tests/structure $(BUILD)/obj
	cppcheck --quiet -j $$(nproc) --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppress=missingIncludeSystem --suppress=memleak $(filter -D_% -I%,$(CPPFLAGS)) $(FOLDERS)
	@printf '%s\n' $(C_FILES) | xargs --max-procs=$$(nproc) --max-args=8 sh -c \
		'clang-tidy --quiet "$$@" -- $(subst ','\'',$(CPPFLAGS)) -std=gnu17 2>/dev/null' sh

# Does it compile, without a warning, where a pointer has 32 bits? For x86 alone, with the headers of x86-64, which tell
# the two apart themselves but for one file that only the other libc brings; a compiler is enough.
MULTIARCH = $(shell $(CC) -print-multiarch)
check-32:
	@mkdir -p $(BUILD)/32/gnu && touch $(BUILD)/32/gnu/stubs-32.h
	@for f in $(C_FILES); do \
		$(CC) -m32 -Wno-psabi -isystem $(BUILD)/32 -isystem /usr/include/$(MULTIARCH) $(CPPFLAGS) $(CFLAGS) -c -o /dev/null \
			"$$f" || exit 1; \
	done

check-integration: ## real managers, engines and servers, in labs: HACKING.md
	tests/integration/run

# Do the unit tests see what breaks? tests/mutants says what is done. MUTANT_FILES="FILE FILE:LINE": only there.
MUTANTS       ?= 200
MUTANTS_LEAST ?= 92
check-mutants: ## do unit tests fail when one of MUTANTS places breaks? MUTANTS_LEAST: per cent; SEED: the same places again
	@tests/mutants --mutants=$(MUTANTS) --least=$(MUTANTS_LEAST) --seed=$(SEED) $(MUTANT_FILES)

# The targets that are no suites: demo, benches, installation and the like.
check-targets: ## what is no test: demo, benches, installation
	@tests/targets

# What the README promises: everything that is needed is installed first, then all tests run.
check: ## all tests; installs what they need first
	tests/setup
	@tests/check all check-unit 'check-unit VARIANT=asan' check-fuzz check-targets check-integration

# Times of a wake beside those of other recipes: tests/bench/wake says what BENCH_OPTIONS there are.
bench-wake: ## times of a wake beside those of other recipes
	tests/setup
	tests/bench/wake $(BENCH_OPTIONS)

# What the proxy forwards and costs beside others: tests/bench/proxy says what BENCH_OPTIONS there are.
bench-proxy: ## what the proxy forwards and costs beside others
	tests/setup
	tests/bench/proxy $(BENCH_OPTIONS)

# One account's container in another's: tests/bench/crossover says what BENCH_OPTIONS there are.
bench-crossover: ## one account's container in another's
	tests/setup
	tests/bench/crossover $(BENCH_OPTIONS)

# Where zsh looks for what packages bring: below /usr Debian has a place of its own.
ZSH_FUNCTIONS = $(if $(and $(filter /usr,$(PREFIX)),$(wildcard /etc/debian_version)),vendor-completions,site-functions)

# Installing replaces what runs, at any moment (packaging/install). nshelper and proxy can be read by nobody but root:
# what is in a container's namespaces and runs a file that its owner can read is within that container's reach.
LIBEXEC_PROGRAMS = $(filter-out cli,$(PROGRAMS))
MANIFEST = $(LIBEXECDIR)/sockwake/installed
MODES    = nshelper=0711 proxy=0711
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
	$(foreach d,$(SYSTEMDIR) $(USERDIR),0644:packaging/sockwake-engines.target:$d/sockwake-engines.target)
# A unit that is made here, and what wants it.
wanted   = 0644:$(BUILD)/$1.service:$2/$1.service link:../$1.service:$2/$3.wants/$1.service
$(BUILD)/%.service: packaging/%.service $(BUILD)/obj/bindir
	$(Q)sed 's,@BINDIR@,$(BINDIR),' $< >$@
$(eval $(call record,bindir,BINDIR))

# What root has built here is its owner's afterwards, who goes on building.
install: all $(BUILD)/sockwake-attend.service $(BUILD)/sockwake-attend-boot.service ## PREFIX=/usr; default: /usr/local
	@chown -R --reference=. $(BUILD) 2>/dev/null || true
	@DESTDIR=$(call quote,$(DESTDIR)) packaging/install $(MANIFEST) $(INSTALLED)
	@DESTDIR=$(call quote,$(DESTDIR)) packaging/settle $(BINDIR)/sockwake $(SYSUSERSDIR)/sockwake.conf \
		$(SYSTEMDIR)

# Without PREFIX or LIBEXECDIR it finds what is installed. It refuses while there are instances, unless FORCE=1.
uninstall: ## what was installed, wherever
	@DESTDIR=$(call quote,$(DESTDIR)) FORCE=$(call quote,$(FORCE)) packaging/uninstall \
		$(if $(filter-out file,$(origin PREFIX) $(origin LIBEXECDIR)),$(MANIFEST))

demo: ## wakes real containers before your eyes
	tests/setup
	tests/integration/demo $(DEMO_OPTIONS)

# Each rule with "##" behind it.
help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1\t\2/p' Makefile | expand --tabs=20

format: ## clang-format
	clang-format -i $(C_FILES) $(wildcard */*.h */*/*.h tests/unit/*.c tests/fuzz/*.c)

clean: ## removes build/
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: always all tests check-unit fuzzers check-fuzz check-static check-32 check-integration check-targets check-mutants \
	check bench-wake bench-proxy bench-crossover install uninstall demo help format clean
.SECONDARY:
