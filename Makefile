# Everything is built below $(BUILD). A folder is a static library of all its sources but main.c, and, where it has a
# main.c, a program. `make VARIANT=asan` builds a second tree with sanitizers.

PREFIX     ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR     ?= $(PREFIX)/share/man
VARIANT    ?= release
BUILD      ?= build/$(VARIANT)

CC         ?= cc
PKG_CONFIG ?= pkg-config
WARNINGS   ?= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
              -Wpointer-arith -Wwrite-strings -Wundef
CPPFLAGS   += -D_GNU_SOURCE -I. -DLIBEXECDIR='"$(LIBEXECDIR)/sockwake"' -DVERSION='"$(shell cat VERSION)"'
CFLAGS.release = -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS.asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS     += -std=gnu17 $(WARNINGS) $(CFLAGS.$(VARIANT))
LDFLAGS.asan = -fsanitize=address,undefined
LDFLAGS    += -Wl,--as-needed $(LDFLAGS.$(VARIANT))

# Libraries of the project by folder, in link order, and those of the system by program.
LIBS.nshelper  = common
LIBS.proxy     = common
LIBS.activator = backends units common
LIBS.cli       = units backends common
SYSLIBS.nshelper  = libcap
SYSLIBS.proxy     = libseccomp
SYSLIBS.activator = libcurl libcjson libsystemd
SYSLIBS.cli       = libcurl libcjson libsystemd

FOLDERS  = common backends units nshelper proxy activator cli
PROGRAMS = nshelper proxy activator cli
program  = $(BUILD)/$(if $(filter cli,$1),sockwake,$1)

sources  = $(wildcard $1/*.c $1/*/*.c)
objects  = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(call sources,$1)))
archive  = $(BUILD)/lib$1.a
archives = $(foreach f,$1,$(call archive,$f))
syslibs  = $(if $1,$(shell $(PKG_CONFIG) --libs $1))

all: $(foreach p,$(PROGRAMS),$(call program,$p))

define folder_rules
$(call archive,$1): $(call objects,$1)
	@rm -f $$@
	@ar crs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

define program_rules
$(call program,$1): $(BUILD)/obj/$1/main.o $(call archives,$1 $(LIBS.$1))
	$$(CC) $$(LDFLAGS) $$(LDFLAGS.$1) -o $$@ $$^ $$(call syslibs,$$(SYSLIBS.$1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/unit/FOLDER_SUBJECT_test.c may use everything of ours.
TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(call archives,activator proxy nshelper cli units backends common)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(call archives,activator proxy nshelper cli units backends common) \
		$(call syslibs,cmocka libseccomp libcap libcurl libcjson libsystemd)

tests: $(TESTS)

check-unit: tests
	@tests/unit/run $(TESTS)

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all tests check-unit clean
.SECONDARY:
