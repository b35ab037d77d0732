# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make             build/sluiced and build/sluice
#   make demo        (root) a gateway with real backends in network namespaces, narrated
#   make check       (root) the tests; installs what is missing
#   make check-load  (root) those that put minutes of load on services, and three minutes of soak
#   make property    (root) CHANGES random changes of a live gateway, each compared with a model; SEED repeats them;
#                    WHAT=kills: it is killed in the middle of each, and started again
#   make soak        (root) MINUTES of traffic while everything happens that may happen to a gateway; SEED repeats one
#   make check-vm    (root) the kernel's tests on Debian 12's kernel 6.1, in a virtual machine
#   make check-web   (root) the page, in headless Chromium; installs that as well
#   make screenshots (root) the pictures of the page in docs/images/
#   make bench       (root) the benchmarks: a table, and build/bench.json
#   make lint        formatting, layers, house rules
#   make fuzz        every parser under libFuzzer; FUZZ_SECONDS each
#   make install     under PREFIX (DESTDIR is honoured)
#   make deb         a package for Debian 12, in build/deb
#   make check-deb   (root) that package in a clean Debian: install, upgrade, remove, purge
#
# SAN=1 builds with AddressSanitizer and UBSan into build-san/. V=1 shows the commands.

B       := build$(if $(SAN),-san)
CLANG   ?= clang
BPFTOOL ?= bpftool
PREFIX  ?= /usr/local
UNITS   ?= $(PREFIX)/lib/systemd/system
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS  ?= $(PREFIX)/share/zsh/site-functions
VERSION := $(shell cat VERSION)
ARCH    := $(shell uname -m)

FUZZ_SECONDS ?= 60
CHANGES ?= 5000
MINUTES ?= 60
SEED ?=

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wcast-qual -Wundef -Wvla -Wformat=2 -Wnull-dereference \
	-Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
WERROR ?= -Werror
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong

# Skeletons are not ours to fix: -isystem keeps our warnings out of them. That makes them system
# headers, so dependencies need -MD: -MMD would skip them.
CPPFLAGS += -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -Iinclude -Iuser -I. -isystem $B/gen
override CFLAGS += -std=gnu17 -O2 -g -fPIE -pthread $(WARN) $(WERROR) \
	$(if $(SAN),$(SANITIZE),$(HARDEN))
override LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now $(if $(SAN),$(SANITIZE))
BPFFLAGS := -O2 -g -mcpu=v3 -target bpf -Wall -Wextra -Werror -Iinclude -Ibpf -I/usr/include/$(ARCH)-linux-gnu

say = $(if $(V),,@printf '  %-6s %s\n' $1 $@;)

# One archive per folder, in link order: upper floors first.
FOLDERS := daemon cli control diagnose import config probe dataplane survey store l7 model util
SOURCES := $(wildcard user/*/*.c)
MAINS   := user/daemon/main.c user/cli/main.c
objects = $(patsubst user/%.c,$B/%.o,$(filter-out $(MAINS),$(wildcard user/$1/*.c)))
LIBS    := $(foreach f,$(FOLDERS),$(if $(call objects,$f),$B/lib$f.a))
LDLIBS  := -luv -lbpf -lyaml -ljansson -lmicrohttpd -lcurl -lssl -lcrypto -lunbound -lnghttp2 -lmnl -lsqlite3 \
	-lnftables -lncursesw -ltinfo

SKELS := $(patsubst bpf/%.bpf.c,$B/gen/%.skel.h,$(wildcard bpf/*.bpf.c)) \
	 $(patsubst tests/bench/%.bpf.c,$B/gen/%.skel.h,$(wildcard tests/bench/*.bpf.c)) \
	 $(patsubst tests/netns/%.bpf.c,$B/gen/%.skel.h,$(wildcard tests/netns/*.bpf.c))

UNIT  := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
BPFT  := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/bpf/test_*.c))
BENCH := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/bench/bench_*.c))
BENCHLIB := $(patsubst tests/%.c,$B/tests/%.o,$(filter-out tests/bench/bench_% %.bpf.c,$(wildcard tests/bench/*.c)) \
	tests/lib/packet.c tests/lib/netbed.c)
TESTLIB := $(patsubst tests/%.c,$B/tests/%.o,$(wildcard tests/lib/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
LOAD := $(addprefix tests/netns/,test_load.sh test_flood.sh test_count.sh test_misbehaving.sh test_upgrade.sh test_l7_load.sh)
NETNS := $(filter-out $(LOAD),$(wildcard tests/netns/test_*.sh))
VERSIONS := $(patsubst %,$B/versions/%/sluiced,two three refused plain)
PRELOADS := $(patsubst tests/%.c,$B/tests/%.so,$(wildcard tests/preload/*.c))
NETNS_TOOLS := $(patsubst tests/%.c,$B/tests/%,$(filter-out %.bpf.c,$(wildcard tests/netns/*.c))) $(PRELOADS)

.PHONY: all demo deps check test check-load test-load property soak check-vm test-vm check-web screenshots bench lint format fuzz install deb check-deb clean
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $B/sluiced $B/sluice

# --- BPF --------------------------------------------------------------------------------------

$B/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPFFLAGS) -MD -MP -c $< -o $@
$B/bpf/%.bpf.o: tests/bench/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPFFLAGS) -MD -MP -c $< -o $@
$B/bpf/%.bpf.o: tests/netns/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPFFLAGS) -MD -MP -c $< -o $@
$B/gen/%.skel.h: $B/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# --- userspace --------------------------------------------------------------------------------

$B/%.o: user/%.c | $(SKELS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -c $< -o $@
$B/%.o: VERSION
# The page is part of the daemon.
$B/control/assets.o: $(wildcard user/control/page/*)

define archive
$B/lib$1.a: $(call objects,$1)
	$$(call say,AR)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive,$f)))

$B/sluiced: $B/daemon/main.o $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$B/sluice: $B/cli/main.o $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# --- tests ------------------------------------------------------------------------------------

# Calls that unit tests can make fail at the n-th time, see tests/lib/fault.h.
WRAP := $(foreach f,malloc calloc realloc strdup socket open,-Wl,--wrap=$f)

$B/tests/%.o: tests/%.c | $(SKELS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -c $< -o $@
$B/tests/unit/%: $B/tests/unit/%.o $(TESTLIB) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $(WRAP) $^ $(LDLIBS) -lcmocka -o $@
$B/tests/bpf/%: $B/tests/bpf/%.o $(TESTLIB) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $(WRAP) $^ $(LDLIBS) -lcmocka -o $@
$B/tests/vm/%: $B/tests/vm/%.o $(TESTLIB) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $(WRAP) $^ $(LDLIBS) -lcmocka -o $@
# What a daemon under test finds in the place of its C library: not sanitized, as that is not.
$B/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu17 -O2 -D_GNU_SOURCE $(WARN) $(WERROR) -fPIC -shared $< -o $@
# Other versions of the daemon, to upgrade from and to.
$B/versions/%/sluiced: tests/versions/build $B/sluiced
	$(call say,OTHER)$< $* $B
$B/tests/netns/%: $B/tests/netns/%.o $B/tests/lib/certs.o $B/tests/lib/certs_ocsp.o $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -o $@
$B/tests/netns/hostile: $(patsubst %.c,$B/%.o,$(wildcard tests/netns/roles/*.c))
$B/tests/bench/%: $B/tests/bench/%.o $(BENCHLIB) $(LIBS)
	$(call say,LD)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Fuzzers build everything they link with clang's coverage instrumentation.
FUZZFLAGS := -std=gnu17 -O1 -g -pthread -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SOURCES := $(filter-out $(MAINS),$(foreach f,import config l7 probe model util,$(wildcard user/$f/*.c)))
$B/fuzz/%: tests/fuzz/%.c $(FUZZ_SOURCES)
	@mkdir -p $(@D)
	$(call say,FUZZ)$(CLANG) $(CPPFLAGS) $(FUZZFLAGS) $^ -luv -lyaml -ljansson -lcurl -lssl -lcrypto -lunbound -lnghttp2 -lmnl -o $@

deps:
	@scripts/install-deps

# The tests run the sanitized build; the release build must compile as well.
check: deps
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory SAN=1 test

# Every test of this build; a skipped test is a failure of the machine, not a pass.
test: all $(UNIT) $(BPFT) $(NETNS_TOOLS) $(VERSIONS)
	@scripts/run-tests $B $(UNIT) $(BPFT) $(NETNS)

check-load: deps
	@$(MAKE) --no-print-directory SAN=1 test-load
	@$(MAKE) --no-print-directory soak MINUTES=3
test-load: all $(NETNS_TOOLS)
	@scripts/run-tests $B $(LOAD)

# So many of them take a quarter of an hour; those of 'make check', less than a minute.
property: deps
	@$(MAKE) --no-print-directory SAN=1 all build-san/tests/preload/killer.so
	@CHANGES=$(CHANGES) SEED=$(SEED) SLUICE_BUILD=build-san bash tests/netns/test_property.sh

# The release build: what it costs is looked at.
soak: deps
	@$(MAKE) --no-print-directory all $(NETNS_TOOLS)
	@SLUICE_BUILD=$B tests/soak/soak.sh $(MINUTES) $(SEED)

# The tests that touch the kernel, in a virtual machine with Debian 12's own kernel. Those of the
# data plane expect tcx, which it has not; the scenarios show that the gate works without.
VM_BPFT := $(filter-out $B/tests/bpf/test_dataplane%,$(BPFT)) \
	$(patsubst tests/%.c,$B/tests/%,$(wildcard tests/vm/*.c))
VM_NETNS := $(addprefix tests/netns/test_,gate.sh egress.sh survival.sh redirect.sh cutoff.sh udp.sh \
	service_udp.sh drain.sh tunnel_mtu.sh) \
	$(wildcard tests/vm/*.sh)

check-vm: deps
	@$(MAKE) --no-print-directory all test-vm
test-vm: $(VM_BPFT) $(NETNS_TOOLS)
	@scripts/check-vm $(VM_BPFT) $(VM_NETNS)

# Of the build that people run: how fast the page is counts.
check-web: deps $B/web/node_modules
	@$(MAKE) --no-print-directory all $(NETNS_TOOLS)
	@scripts/run-tests $B $(wildcard tests/web/test_*.sh)

screenshots: deps $B/web/node_modules
	@$(MAKE) --no-print-directory all $(NETNS_TOOLS)
	@SLUICE_BUILD=$B tests/web/screenshots.sh docs/images

# What the tests of the page need of npm, exactly as the lock file has it. Whom this host trusts, npm does as well.
NPM_CI := NODE_EXTRA_CA_CERTS=$${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} npm ci --loglevel=error --no-audit --no-fund
$B/web/node_modules: tests/web/package.json tests/web/package-lock.json
	@scripts/install-deps web
	@mkdir -p $(@D)
	$(call say,NPM)cp $^ $(@D) && cd $(@D) && $(NPM_CI) >npm.log && touch node_modules

demo: deps
	@$(MAKE) --no-print-directory all
	@scripts/demo

bench: deps
	@$(MAKE) --no-print-directory $(BENCH)
	@scripts/bench $(BENCH) tests/bench/bench_l7.sh tests/bench/bench_size.sh

lint:
	@scripts/lint
	@scripts/check-layers

format:
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

fuzz: $(FUZZERS)
	@scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZERS)

install: all
	install -Dm755 $B/sluiced $(DESTDIR)$(PREFIX)/sbin/sluiced
	install -Dm755 $B/sluice $(DESTDIR)$(PREFIX)/bin/sluice
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/man/*.8
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man5 docs/man/*.5
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man7 docs/man/*.7
	install -Dm644 etc/sluice.yaml $(DESTDIR)$(PREFIX)/share/doc/sluice/examples/sluice.yaml
	install -Dm644 etc/completions/sluice.bash $(DESTDIR)$(BASH_COMPLETIONS)/sluice
	install -Dm644 etc/completions/_sluice $(DESTDIR)$(ZSH_COMPLETIONS)/_sluice
	install -Dm644 etc/sysusers.d/sluice.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/sluice.conf
	install -Dm644 etc/tmpfiles.d/sluice.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sluice.conf
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/sluice etc/prometheus/sluice.rules.yml etc/grafana/sluice.json
	install -d $(DESTDIR)$(UNITS)
	sed 's|@SBINDIR@|$(PREFIX)/sbin|; s|@BINDIR@|$(PREFIX)/bin|' etc/systemd/sluiced.service.in \
		>$(DESTDIR)$(UNITS)/sluiced.service
	chmod 644 $(DESTDIR)$(UNITS)/sluiced.service

deb:
	@scripts/install-deps package
	@scripts/make-deb build/deb

check-deb: deb
	@scripts/check-deb build/deb

clean:
	rm -rf build build-san

# Not those of a Debian that 'make check-deb' has there.
-include $(shell find $B -path $B/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
