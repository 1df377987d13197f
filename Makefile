# pmo - `make help` lists the targets.

VERSION = 0.1.0

CFLAGS     ?= -O2 -g
LDFLAGS    ?=
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
DOCDIR     ?= $(DATADIR)/doc/pmo
BASHDIR    ?= $(DATADIR)/bash-completion/completions
ZSHDIR     ?= $(DATADIR)/zsh/site-functions
FISHDIR    ?= $(DATADIR)/fish/vendor_completions.d

# `make SAN=1` builds with AddressSanitizer and UndefinedBehaviorSanitizer in a folder of its own.
SAN ?=
ifeq ($(filter-out 0 no,$(SAN)),)
BUILD    ?= build
HARDENING = $(FORTIFY) -fstack-protector-strong $(STACK_CLASH)
LINK_HARD = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
else
BUILD    ?= build/san
HARDENING = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK_HARD = -pie -fsanitize=address,undefined
endif

# Found out when first used and then kept, because `make demo` and `make check` begin on a machine
# that lacks the libraries and pkg-config, and install them in the same run.
once         = $(eval $(1) := $(2))$($(1))
FORTIFY      = $(if $(filter -O1 -O2 -O3 -Os -Og,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
STACK_CLASH  = $(call once,STACK_CLASH,$(shell echo 'int x;' | $(CC) -Werror \
               -fstack-clash-protection -x c -c -o /dev/null - 2>/dev/null && \
               echo -fstack-clash-protection))
LIB_CFLAGS   = $(call once,LIB_CFLAGS,$(shell $(PKG_CONFIG) --cflags yaml-0.1 inih 2>/dev/null))
LIBS         = $(call once,LIBS,$(shell $(PKG_CONFIG) --libs yaml-0.1 inih 2>/dev/null || \
               echo -lyaml -linih))
TEST_CFLAGS  = $(call once,TEST_CFLAGS,$(shell $(PKG_CONFIG) --cflags cmocka 2>/dev/null))
TEST_LIBS    = $(call once,TEST_LIBS,$(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || \
               echo -lcmocka))

# `make V=1` shows whole commands.
V ?=
SHORT = $(if $(filter-out 0,$(V)),,@printf '  %-5s %s\n' '$(1)' '$@';)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
           -Wvla -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef
BASE_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DPMO_VERSION='"$(VERSION)"' -fPIE $(WARNINGS) -Isrc
COMPILE  = $(CC) $(BASE_CFLAGS) $(HARDENING) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK     = $(CC) $(CFLAGS) $(LINK_HARD) $(LDFLAGS)

# Where tests find what they drive.
TEST_PATHS = -Itests -DPMO_BINARY='"$(CURDIR)/$(BUILD)/pmo"' \
             -DPMO_HELPERS='"$(CURDIR)/$(BUILD)/tests/helpers"' \
             -DPMO_FIXTURES='"$(CURDIR)/tests/fixtures"' -DPMO_MANUALS='"$(CURDIR)/man"' \
             -DPMO_SAMPLE='"$(CURDIR)/pmo.yml.sample"'

SOURCES   := $(sort $(wildcard src/*/*.c))
OBJECTS   := $(SOURCES:%.c=$(BUILD)/%.o)
SUPPORT   := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c)))
HELPERS   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/helpers/*.c)))
UNIT      := $(patsubst tests/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
CLI       := $(patsubst tests/%.c,%,$(sort $(wildcard tests/cli/test_*.c)))
TESTS     ?= $(UNIT) $(CLI)
TEST_PROGRAMS := $(UNIT:%=$(BUILD)/tests/%) $(CLI:%=$(BUILD)/tests/%)
C_FILES    = $(sort $(wildcard src/*.[ch] src/*/*.[ch] tests/*/*.[ch]))
DEPS      ?= build test

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all help deps demo tests check check-unit check-layers check-format check-man \
        check-static check-install check-real bench install uninstall dist clean FORCE

all: $(BUILD)/pmo

help:
	@echo 'make               build $(BUILD)/pmo (SAN=1: with sanitizers, into build/san)'
	@echo 'make demo          install what is missing, build, start the services of pmo.yml.sample'
	@echo 'make check         install what is missing, build, run every test'
	@echo "                   (TESTS='unit/test_text cli/test_help': only these)"
	@echo 'make check-unit    only the unit tests'
	@echo 'make check-layers  includes go downward only, and each library has one user'
	@echo 'make check-format  clang-format'
	@echo 'make check-man     the manuals: mandoc, and against the tables of the program'
	@echo 'make check-static  cppcheck and the clang analyser'
	@echo 'make check-install install and uninstall in a scratch directory'
	@echo 'make check-races   thousands of stops against services in a loop of crashes'
	@echo 'make check-real    PostgreSQL, Redis, nginx, Python and Node under pmo'
	@echo 'make bench         measure'
	@echo "make deps          install what is missing (DEPS='build test lint real')"
	@echo 'make install       PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make uninstall     remove what install put there'
	@echo 'make dist          pmo-$(VERSION).tar.gz'
	@echo 'make clean         stop the demo and remove build'

# A stamp holds the text that its dependents were made with and changes only when that does.
define stamp
@mkdir -p $(@D)
@printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) >$@
endef
quote = '$(subst ','\'',$(1))'

$(BUILD)/flags: FORCE
	$(call stamp,$(call quote,$(COMPILE) $(LINK)))

$(BUILD)/objects: FORCE
	$(call stamp,$(call quote,$(OBJECTS)))

$(BUILD)/support-objects: FORCE
	$(call stamp,$(call quote,$(SUPPORT)))

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SHORT,CC)$(COMPILE) -c -o $@ $<

$(BUILD)/libpmo.a: $(OBJECTS) $(BUILD)/objects
	$(call SHORT,AR)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

$(BUILD)/pmo: $(BUILD)/src/main.o $(BUILD)/libpmo.a
	$(call SHORT,LINK)$(LINK) -o $@ $^ $(LIBS)

$(BUILD)/tests/support/%.o: tests/support/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SHORT,CC)$(COMPILE) $(TEST_PATHS) $(TEST_CFLAGS) -c -o $@ $<

$(BUILD)/tests/libsupport.a: $(SUPPORT) $(BUILD)/support-objects
	@mkdir -p $(@D)
	$(call SHORT,AR)rm -f $@ && $(AR) rcs $@ $(SUPPORT)

TEST_BUILD = $(COMPILE) $(TEST_PATHS) $(TEST_CFLAGS) -pthread $(LINK_HARD) $(LDFLAGS) -o $@ $< \
             $(BUILD)/tests/libsupport.a $(BUILD)/libpmo.a $(LIBS) $(TEST_LIBS)

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libpmo.a $(BUILD)/tests/libsupport.a
	@mkdir -p $(@D)
	$(call SHORT,TEST)$(TEST_BUILD)

$(BUILD)/tests/cli/%: tests/cli/%.c $(BUILD)/libpmo.a $(BUILD)/tests/libsupport.a
	@mkdir -p $(@D)
	$(call SHORT,TEST)$(TEST_BUILD)

# Helpers are the strangers that pmo runs: never sanitized, so that they do just what they say.
$(BUILD)/tests/helpers/%: tests/helpers/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SHORT,CC)$(CC) $(BASE_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -pie -pthread $(LDFLAGS) -o $@ $<

-include $(OBJECTS:.o=.d) $(BUILD)/src/main.d $(SUPPORT:.o=.d) $(HELPERS:=.d) $(TEST_PROGRAMS:=.d)

deps:
	@CC='$(CC)' contrib/deps.sh $(DEPS)

demo:
	@$(MAKE) --no-print-directory deps DEPS=build
	@$(MAKE) --no-print-directory all
	@contrib/demo.sh $(BUILD)/pmo $(BUILD)/demo

tests: all $(TEST_PROGRAMS) $(HELPERS)

check:
	@$(MAKE) --no-print-directory deps DEPS='build test'
	@$(MAKE) --no-print-directory $(if $(filter-out 0,$(V)),,-s) all $(HELPERS) $(TESTS:%=$(BUILD)/tests/%)
	@tests/run.sh $(BUILD)/tests $(TESTS)

check-unit:
	@$(MAKE) --no-print-directory check TESTS='$(UNIT)'

check-layers:
	@tests/check-layers.sh src

check-format:
	@clang-format --dry-run -Werror $(C_FILES) && echo "format: ok"

check-man:
	mandoc -Tlint -W warning man/pmo.1 man/pmo.yml.5
	@$(MAKE) --no-print-directory check TESTS=unit/test_manual

# cppcheck does not know the cleanup attribute, by which descriptors and memory are released here;
# and nothing in pmo has threads that a non-reentrant function could meet.
CPPCHECK_SUPPRESS = resourceLeak memleak readdirCalled getpwnamCalled getpwuidCalled \
                    getgrnamCalled getgrgidCalled missingIncludeSystem

check-static:
	@cppcheck --quiet --error-exitcode=1 --std=c11 --library=posix,gnu -D_GNU_SOURCE \
	  -DPMO_VERSION='"$(VERSION)"' --enable=warning,performance,portability \
	  $(CPPCHECK_SUPPRESS:%=--suppress=%) -Isrc src
	@printf '%s\n' src/main.c $(SOURCES) | xargs -P "$$(nproc)" -n 1 \
	  clang --analyze --analyzer-output text -Xclang -analyzer-werror $(BASE_CFLAGS) \
	    $(LIB_CFLAGS) -o /dev/null && echo 'static analysis: ok'

check-install: all
	@MAKE='$(MAKE)' tests/check-install.sh

# A stop against services in a loop of crashes, thousands of times.
check-races:
	@ROUNDS=150 $(MAKE) --no-print-directory check TESTS='cli/test_stop_races'

check-real:
	@$(MAKE) --no-print-directory deps DEPS='build real'
	@$(MAKE) --no-print-directory all
	@PMO='$(CURDIR)/$(BUILD)/pmo' tests/real/run.sh

bench:
	@$(MAKE) --no-print-directory deps DEPS=build
	@$(MAKE) --no-print-directory all
	@PMO='$(CURDIR)/$(BUILD)/pmo' CC='$(CC)' tests/bench/run.sh

# Examples, to be copied and changed: pmo(1) STARTING AT BOOT.
BOOT_FILES = contrib/pmo.crontab contrib/pmo@.service contrib/pmo-user@.service

# Where each installed file goes; install and uninstall both read this.
INSTALLED = $(BINDIR)/pmo $(MANDIR)/man1/pmo.1 $(MANDIR)/man5/pmo.yml.5 $(BASHDIR)/pmo \
            $(ZSHDIR)/_pmo $(FISHDIR)/pmo.fish $(DOCDIR)/README $(DOCDIR)/COPYING \
            $(DOCDIR)/pmo.yml.sample $(addprefix $(DOCDIR)/,$(notdir $(BOOT_FILES)))

$(BUILD)/completions/%: $(BUILD)/pmo
	@mkdir -p $(@D)
	$(call SHORT,GEN)$(BUILD)/pmo completion $* >$@

install: all $(BUILD)/completions/bash $(BUILD)/completions/zsh $(BUILD)/completions/fish
	$(INSTALL) -d $(foreach directory,$(sort $(dir $(INSTALLED))),'$(DESTDIR)$(directory)')
	$(INSTALL) -m 755 $(BUILD)/pmo '$(DESTDIR)$(BINDIR)/pmo'
	$(INSTALL) -m 644 man/pmo.1 '$(DESTDIR)$(MANDIR)/man1/pmo.1'
	$(INSTALL) -m 644 man/pmo.yml.5 '$(DESTDIR)$(MANDIR)/man5/pmo.yml.5'
	$(INSTALL) -m 644 $(BUILD)/completions/bash '$(DESTDIR)$(BASHDIR)/pmo'
	$(INSTALL) -m 644 $(BUILD)/completions/zsh '$(DESTDIR)$(ZSHDIR)/_pmo'
	$(INSTALL) -m 644 $(BUILD)/completions/fish '$(DESTDIR)$(FISHDIR)/pmo.fish'
	$(INSTALL) -m 644 README COPYING pmo.yml.sample $(BOOT_FILES) '$(DESTDIR)$(DOCDIR)'

uninstall:
	rm -f $(foreach file,$(INSTALLED),'$(DESTDIR)$(file)')
	-@rmdir '$(DESTDIR)$(DOCDIR)' 2>/dev/null || true

dist:
	@rm -f pmo-$(VERSION).tar.gz
	@if git rev-parse -q --verify HEAD >/dev/null 2>&1; then \
	  git archive --format=tar --prefix=pmo-$(VERSION)/ HEAD; \
	else \
	  tar -c --exclude-vcs --exclude=build --exclude='*.tar.gz' --exclude=.pmo \
	    --transform='s,^\.,pmo-$(VERSION),' .; \
	fi | gzip -9n >pmo-$(VERSION).tar.gz
	@echo pmo-$(VERSION).tar.gz

clean:
	@contrib/demo.sh --stop $(BUILD)/pmo $(BUILD)/demo
	rm -rf build

FORCE:
