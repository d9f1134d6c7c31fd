# make demo and make test need Go and make, nothing else.
export CGO_ENABLED = 0

TOOL = go tool -modfile=tools/go.mod

# Tests that mostly wait, for servers, strace and the disk, run two to a core.
TWICE = -parallel $$((2 * $$(getconf _NPROCESSORS_ONLN)))

# Where the programs go.
SP = bin/sp
SPD = bin/spd

.PHONY: build build-sp build-spd build-like demo test test-pg test-recovery test-docker test-chromium check race race-db race-exporter race-workspace race-registry race-server race-sp sqlc fmt guarantees torture fuzz bench bench-full schemathesis reference

build: build-sp build-spd

# What no command runs often enough to be worth inlining, which would only make the programs larger.
SELDOM = $(addprefix github.com/sp-registry/sp/internal/,cli/... archive cloud configuration doctor hosting postgres provision workspace) \
	crypto/tls github.com/jackc/pgx/... go.yaml.in/yaml/v3 net/http

# Nor do the programs use the library's templates for help, or HTTP/2: spd has no TLS.
GO_BUILD = go build -trimpath -ldflags '-s -w' -tags urfave_cli_no_template,nethttpomithttp2 $(addprefix -gcflags ,$(addsuffix =-l,$(SELDOM)))

build-sp:
	$(GO_BUILD) -o $(SP) ./cmd/sp

build-spd:
	$(GO_BUILD) -o $(SPD) ./cmd/spd

# Any program, built like these two: for comparisons.
build-like:
	$(GO_BUILD) $(FLAGS) -o $(TO) $(PACKAGE)

# A session on the sample of the documents, in a fresh directory.
demo: build-sp
	@sh demo/demo.sh $(SP)

# The whole hermetic suite: no network, no server, no home directory.
test:
	go test ./...

# What only a PostgreSQL server can prove, and a pgbouncer before it. One is started from this machine's programs,
# unless SP_TEST_POSTGRES is the URL of a superuser on one that runs. Of several versions the
# newest is tried, or the one whose programs are in SP_POSTGRES_BIN. SP_LIVE_STRIDE=1 kills sp
# at every system call instead of every seventh or so, in three minutes more.
test-pg:
	SP_TEST_POSTGRES=$${SP_TEST_POSTGRES:-start} go test ./live ./live/root ./internal/pgtest ./internal/provision ./internal/postgres ./internal/hosting ./internal/server ./cmd/spd -count=1 $(TWICE)

# Fifty databases after every process of their server was killed in a checkpoint, in half a minute or so. A kill
# loses nothing that a disk would keep, so memory will do for one.
test-recovery:
	TMPDIR=$${TMPDIR:-/dev/shm} SP_TEST_POSTGRES=start SP_TEST_RECOVERY=1 go test ./internal/postgres -run TestLiveFifty -count=1 -v -timeout 20m

# What only a Docker engine can prove, on a machine where sp has no container: the one that
# a machine has is made and removed. The image is fetched if it is not there; where it can't be, a stand-in is made by
# internal/postgres/testdata/image/make postgres:18-alpine
test-docker:
	SP_TEST_DOCKER=1 go test ./internal/postgres -run TestARealDocker -count=1 -v

# The promises under crashes, faults and races, on the real program: a small size of each
# (docs/inside/guarantees.md), and nothing is skipped; and the gates on what it costs, in counts. It needs strace, git, unshare, valgrind
# and a PostgreSQL server's programs, and root for another user's view.
guarantees:
	go test ./torture -count=1 -timeout 14m $(TWICE) -size small -strict

# The login pages in a real Chromium, whose program SP_TEST_CHROMIUM names.
test-chromium:
	SP_TEST_CHROMIUM=$${SP_TEST_CHROMIUM:-chromium} go test ./internal/server/login -run '^TestChromium' -count=1

# The same for hours.
torture:
	go test ./torture -count=1 -timeout 24h -size long

# Each fuzz target for a while; `go test` runs their seeds. What is found stands in
# testdata/fuzz beside the target, to be mended and kept.
FUZZTIME ?= 60s
fuzz:
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test "$$package" -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s || exit 1; \
		done; \
	done

# What a program that reads docs/openapi.yaml finds wrong with the answers of spd, with and without a
# token: schemathesis, from Python's package index, in a place that goes afterwards. It needs Python and a
# PostgreSQL server's programs.
DURATION ?= 10m
SCHEMATHESIS = 4.32.5
schemathesis:
	@place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && chmod 755 "$$place" && \
	python3 -m venv "$$place/venv" && "$$place/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==$(SCHEMATHESIS) && \
	SP_TEST_POSTGRES=$${SP_TEST_POSTGRES:-start} SP_SCHEMATHESIS="$$place/venv/bin/schemathesis" SP_SCHEMATHESIS_DURATION=$(DURATION) \
		go test ./live -run '^TestSchemathesis$$' -count=1 -timeout 24h -v

# How fast sp is, against an empty program and the peers that this machine has, in minutes:
# docs/inside/performance.md. BENCH=-gate ends non-zero where a gate is missed.
bench:
	go run ./bench $(BENCH)

# The same with a million tenants, for most of an hour; the document's table is written from it.
bench-full:
	go run ./bench -full -docs docs/inside/performance.md $(BENCH)

# docs/reference.md and docs/reference-spd.md, from the trees of commands; a test fails where one is out of date.
reference:
	go test ./cmd/sp ./cmd/spd -run '^TestReference$$' -count 1 -update

# Everything that is asked of a change.
check: fmt
	go vet ./...
	go test -run '^TestHouse' ./cmd/sp
	$(TOOL) staticcheck ./...
	$(TOOL) sqlc vet
	$(TOOL) sqlc diff
	go mod tidy -diff
	cd tools && go mod tidy -diff
	$(MAKE) race

# The race detector is written in C. A command is one goroutine but where it waits for
# a signal, an answer or the lock, the registry but where it imports into
# nothing, and the workspace but in tests of several; the rest would run for minutes for nothing. The control plane
# is many.
race:
	@if command -v $${CC:-cc} >/dev/null; then \
		CGO_ENABLED=1 go build -race ./... && $(MAKE) -j2 race-db race-exporter race-workspace race-registry race-server race-sp; \
	else echo 'race: skipped, there is no C compiler'; fi

# Two at a time, for a program is linked on one core; what both need is compiled before.
RACE = CGO_ENABLED=1 go test -race -short

race-db:
	$(RACE) -run 'Queue|Wait|AtOnce|Lock' -skip WritersQueue ./db

race-exporter:
	$(RACE) -run 'Put|Stream|Memory' ./internal/exporter

race-workspace:
	$(RACE) -run 'Process' ./internal/workspace

race-registry:
	$(RACE) -run 'Import|DoNotShowThrough' ./internal/registry

race-server:
	$(RACE) -run 'SameKey|AList|WhoMay|Events|AtOnce|Twice|Refresh' ./internal/server/... ./internal/cloud

race-sp:
	$(RACE) -run 'Signal|Stream|TestScripts/^(busy|concurrent|server|terminal|tenant_delete)$$' ./cmd/sp

fmt:
	@wrong=$$($(TOOL) gofumpt -l bench cmd db internal live torture) || exit 1; \
	test -z "$$wrong" || { $(TOOL) gofumpt -d bench cmd db internal live torture; exit 1; }

# After a change of db/migrations or db/queries.
sqlc:
	$(TOOL) sqlc generate
