# Everything is built below $(BUILD). A folder is a static library of all its sources but main.c, and, where it has a
# main.c, a program. `make VARIANT=asan` builds a second tree with sanitizers.

PREFIX     ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
VARIANT    ?= release
BUILD      ?= build/$(VARIANT)

CC         ?= cc
PKG_CONFIG ?= pkg-config
WARNINGS   ?= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
              -Wpointer-arith -Wwrite-strings -Wundef
CPPFLAGS   += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I. -DLIBEXECDIR='"$(LIBEXECDIR)/sockwake"' -DVERSION='"$(shell cat VERSION)"'
CFLAGS.release = -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS.asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS     += -std=gnu17 $(WARNINGS) $(CFLAGS.$(VARIANT))
LDFLAGS.asan = -fsanitize=address,undefined
LDFLAGS    += -Wl,--as-needed $(LDFLAGS.$(VARIANT))

# Libraries of the project by folder, in link order, and those of the system by program.
LIBS.keeper    = common
LIBS.nshelper  = common
LIBS.proxy     = common
LIBS.activator = backends units common
LIBS.cli       = units backends common
SYSLIBS.nshelper  = libcap
SYSLIBS.proxy     = libseccomp
# The activator loads libsystemd itself when it is needed (activator/bus.h). Libraries are what its start costs; -no-pie,
# -z now, -z norelro make less than 0.1 ms, so it is linked like everything else.
SYSLIBS.activator = libcurl libcjson
SYSLIBS.cli       = libcurl libcjson libsystemd

FOLDERS  = common backends units keeper nshelper proxy activator cli
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

all: $(foreach p,$(PROGRAMS),$(call program,$p))

define folder_rules
$(call archive,$1): $(call objects,$1)
	@rm -f $$@
	@ar crs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

define program_rules
$(call program,$1): $(BUILD)/obj/$1/main.o $(call archives,$1 $(LIBS.$1))
	$$(call say,LINK)
	$$(Q)$$(CC) $$(LDFLAGS) $$(LDFLAGS.$1) -o $$@ $$^ $$(call syslibs,$$(SYSLIBS.$1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

$(BUILD)/obj/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/unit/FOLDER_SUBJECT_test.c may use everything of ours.
TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(call archives,activator keeper proxy nshelper cli units backends common)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(call archives,activator keeper proxy nshelper cli units backends common) \
		$(call syslibs,cmocka libseccomp libcap libcurl libcjson libsystemd)

# They run the programs, too.
tests: all $(TESTS)

check-unit: tests $(call program,proxy)
	@tests/unit/run $(TESTS)

# Fuzzing: tests/fuzz/FOLDER_SUBJECT_fuzz.c, each for FUZZ_SECONDS. Needs clang.
FUZZ_SECONDS ?= 5
FUZZERS = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
build/fuzz/%: tests/fuzz/%.c $(foreach f,common backends units nshelper proxy,$(filter-out %/main.c,$(call sources,$f)))
	$(call say,FUZZER)
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g -O1 $(CPPFLAGS) -std=gnu17 \
		-Wl,--gc-sections -ffunction-sections -o $@ $^ \
		$(call syslibs,libseccomp libcap libcurl libcjson libsystemd)

fuzzers: $(FUZZERS)

check-fuzz: fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

# Static checks. Each that is switched off has its reason in .clang-tidy or here:
# missingIncludeSystem: system headers are not analysed; unusedFunction cannot see across programs.
C_FILES = $(foreach f,$(FOLDERS),$(wildcard $f/*.c $f/*/*.c))
check-static: check-32
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppress=missingIncludeSystem --suppress=memleak $(filter -D_% -I%,$(CPPFLAGS)) $(FOLDERS)
	clang-tidy --quiet $(C_FILES) -- $(CPPFLAGS) -std=gnu17 2>/dev/null

# Does it compile, without a warning, where a pointer has 32 bits? For x86 alone, with the headers of x86-64, which tell
# the two apart themselves but for one file that only the other libc brings; a compiler is enough.
MULTIARCH = $(shell $(CC) -print-multiarch)
check-32:
	@mkdir -p $(BUILD)/32/gnu && touch $(BUILD)/32/gnu/stubs-32.h
	@for f in $(C_FILES); do \
		$(CC) -m32 -Wno-psabi -isystem $(BUILD)/32 -isystem /usr/include/$(MULTIARCH) $(CPPFLAGS) $(CFLAGS) -c -o /dev/null \
			"$$f" || exit 1; \
	done

check-integration:
	tests/integration/run

# What the README promises: everything that is needed is installed first, then all tests run.
check:
	tests/setup
	@tests/check all check-unit 'check-unit VARIANT=asan' check-fuzz check-integration

# Times of a wake beside those of other recipes: tests/bench/wake says what BENCH_OPTIONS there are.
bench-wake:
	tests/setup
	tests/bench/wake $(BENCH_OPTIONS)

# What the proxy forwards and costs beside others: tests/bench/proxy says what BENCH_OPTIONS there are.
bench-proxy:
	tests/setup
	tests/bench/proxy $(BENCH_OPTIONS)

# The system user is made here only when this is no package being built (DESTDIR).
LIBEXEC_PROGRAMS = activator keeper nshelper proxy
MAN_PAGES = $(wildcard man/*.[18])
install: all
	install -D -m 0755 -t $(DESTDIR)$(BINDIR) $(BUILD)/sockwake
	install -D -m 0755 -t $(DESTDIR)$(LIBEXECDIR)/sockwake $(addprefix $(BUILD)/,$(LIBEXEC_PROGRAMS))
	$(foreach m,$(MAN_PAGES),install -D -m 0644 -t $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m)) $m &&) true
	install -D -m 0644 completions/sockwake.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/sockwake
	install -D -m 0644 completions/sockwake.zsh $(DESTDIR)$(DATADIR)/zsh/site-functions/_sockwake
	install -D -m 0644 completions/sockwake.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/sockwake.fish
	install -D -m 0644 packaging/sockwake.sysusers $(DESTDIR)$(SYSUSERSDIR)/sockwake.conf
	if [ -z "$(DESTDIR)" ] && command -v systemd-sysusers >/dev/null; then \
		systemd-sysusers $(SYSUSERSDIR)/sockwake.conf; \
	fi

# Instances go on to exist: 'sockwake remove --all' comes first. The system user stays, as users do.
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/sockwake $(addprefix $(DESTDIR)$(LIBEXECDIR)/sockwake/,$(LIBEXEC_PROGRAMS))
	rm -f $(foreach m,$(MAN_PAGES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))
	rm -f $(DESTDIR)$(DATADIR)/bash-completion/completions/sockwake
	rm -f $(DESTDIR)$(DATADIR)/zsh/site-functions/_sockwake
	rm -f $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/sockwake.fish
	rm -f $(DESTDIR)$(SYSUSERSDIR)/sockwake.conf
	-rmdir $(DESTDIR)$(LIBEXECDIR)/sockwake

demo:
	tests/setup
	tests/integration/demo

format:
	clang-format -i $(C_FILES) $(wildcard */*.h */*/*.h tests/unit/*.c tests/fuzz/*.c)

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all tests check-unit fuzzers check-fuzz check-static check-32 check-integration check bench-wake bench-proxy demo format clean
.SECONDARY:
