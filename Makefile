# What people and CI run. `make help` lists the targets.

# Programs that the tests start privately, and the Debian package of each. Only programs: no service is installed.
TOOLS = /usr/sbin/apache2:apache2-bin /usr/sbin/mariadbd:mariadb-server-core \
        /usr/bin/wbxml2xml:libwbxml2-utils /usr/bin/tshark:tshark
DEMO_TOOLS = /usr/sbin/apache2:apache2-bin

# What `make deb` needs, beside Rust and a C compiler.
DEB_TOOLS = /usr/bin/dh:debhelper /usr/bin/fakeroot:fakeroot

# What `make test-install` needs, beside root and the above; and what `make test-boot` needs beside that.
INSTALL_TOOLS = /usr/sbin/debootstrap:debootstrap /usr/bin/curl:curl /usr/sbin/ip:iproute2 \
                /usr/bin/lintian:lintian
BOOT_TOOLS = /usr/bin/systemd-nspawn:systemd-container

.PHONY: help build deb test test-install test-boot soak demo lint doc docs fmt bench bench-planner fuzz

help:
	@echo 'make build   the program, target/release/oxtender'
	@echo 'make deb     the Debian package, in target/deb'
	@echo 'make demo    stand-in OX, gateway and a private Apache; a simulated phone syncs, then try your own'
	@echo '             make demo ARGS=--once ends by itself'
	@echo 'make test    every test, with a private Apache and a private MariaDB'
	@echo 'make test-install   docs/install.md in a clean Debian root, with the real dpkg; needs root and debootstrap'
	@echo 'make test-boot   the package under a real systemd, in a container that systemd-nspawn boots; needs root'
	@echo 'make soak    100,000 random histories over the whole gateway; make soak SEEDS=1000000 FIRST=300 for others'
	@echo 'make bench   the AJP listener beside Tomcat and through Apache'
	@echo 'make bench-planner   the sync engine by itself, up to a million items'
	@echo 'make fuzz    a minute for each fuzz target of the crate ajp'
	@echo 'make docs    docs/conformance.md, docs/quirks.md and the manual pages, written from the program'
	@echo 'make lint    formatting, clippy without warnings, documentation without warnings'

build:
	cargo build --release --locked

deb:
	@packaging/tools.sh $(DEB_TOOLS)
	packaging/deb.sh

test: test-tools
	cargo test --workspace --locked

# The upgrade is from the package of the commit before, if there is one: our crates are compiled once more for it.
# Needs root, for chroot and dpkg. Environment: MIRROR, SUITE, TREE, see tests/install/run.sh.
test-install: deb
	@packaging/tools.sh $(INSTALL_TOOLS)
	cargo build --locked --package ox-standin
	lintian --allow-root --fail-on error,warning "$${CARGO_TARGET_DIR:-target}"/deb/oxtender_*.deb
	target="$${CARGO_TARGET_DIR:-target}" && older=$$(tests/install/older.sh) && \
		tests/install/run.sh walk.sh "$$target"/deb/oxtender_*.deb "$$target/debug/ox-standin" $$older

test-boot: deb
	@packaging/tools.sh $(INSTALL_TOOLS) $(BOOT_TOOLS)
	cargo build --locked --package ox-standin
	target="$${CARGO_TARGET_DIR:-target}" && \
		tests/install/run.sh boot.sh "$$target"/deb/oxtender_*.deb "$$target/debug/ox-standin"

# A failure prints its seed; SEED=n replays it.
SEEDS = 100000
FIRST = 0
soak:
	SEEDS=$(SEEDS) FIRST=$(FIRST) cargo test --release --locked --test it -- convergence::histories

demo: demo-tools
	cargo build --workspace --locked
	cargo run --quiet --locked --package ox-demo -- $(ARGS)

# With as many descriptors as allowed, for the parked connections. Tomcat takes part where it is installed:
# apt-get install --no-install-recommends tomcat10
bench: demo-tools
	ulimit -n $$(ulimit -Hn) && cargo bench --locked --package ajp --bench ajp

bench-planner:
	cargo bench --locked --bench planner

docs:
	UPDATE_DOCS=1 cargo test --locked --lib quirk
	UPDATE_DOCS=1 cargo test --locked --test it -- conformance manual

fuzz:
	fuzz/run.sh

lint: fmt
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --document-private-items

fmt:
	cargo fmt --all -- --check

.PHONY: test-tools demo-tools
test-tools:
	@packaging/tools.sh $(TOOLS)
demo-tools:
	@packaging/tools.sh $(DEMO_TOOLS)
