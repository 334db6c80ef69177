# `make` is the gate; `make help` lists the rest.

NAME    := migrate-to-flux-operator
BIN     := bin/$(NAME)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
IMAGE   ?= localhost/$(NAME):$(VERSION)
EXAMPLE ?= kpt-fn-eval
FUZZTIME ?= 30s

export CGO_ENABLED = 0
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

.DEFAULT_GOAL := gate
.PHONY: gate build demo test test-all golden format lint e2e e2e-live corpus speed bench fuzz cover cross reproducible sbom licenses vuln data image clean-tree help

gate: lint test clean-tree ## The gate, and the default: format, vet, staticcheck, tests, clean tree

# The same sources and version make the same bytes, wherever they lie: so nothing of the checkout itself is put in.
build: ## Build the static binary bin/migrate-to-flux-operator
	go build -trimpath -buildvcs=false -ldflags '-s -w -X $(NAME)/fn/command.version=$(VERSION) -X $(NAME)/fn/command.revision=$(COMMIT)' -o $(BIN) ./fn

PREFIX ?= /usr/local

.PHONY: install
install: build ## Install the binary into PREFIX/bin (/usr/local/bin)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(BIN) '$(DESTDIR)$(PREFIX)/bin/$(NAME)'

demo: build ## Migrate a copy of an example (EXAMPLE=name) and show what changes
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	cp -R examples/$(EXAMPLE)/input/. "$$dir"; \
	for command in plan diff apply check; do \
	  printf '\n$$ %s %s %s\n' $(NAME) "$$command" "$$dir"; \
	  $(BIN) "$$command" "$$dir" --config examples/$(EXAMPLE)/fn-config.yaml; \
	done; \
	echo 'exit code 0: a second run changes nothing'

# Without what only a debugger reads, the binaries of the tests are linked in two thirds of the time.
TEST := go test -ldflags '-s -w' -skip Corpus

test: ## Run the tests of the product in their short form: every golden case and example, without the slow proofs
	$(TEST) -short -timeout 30m ./...

test-all: ## Run the tests of the product with the slow proofs; those of the corpus are run by make corpus
	$(TEST) -timeout 60m ./...

golden: ## Write the expectations of the golden cases anew, and delete stale ones
	go test -short -timeout 40m ./fn/golden -update
	go test ./fn/finding -run TestDocs -update

format: ## Format the code
	gofmt -w main.go fn e2e tools

lint: ## Check the format, go vet, staticcheck
	@unformatted=$$(gofmt -l main.go fn e2e tools); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make format:" $$unformatted; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

# The tools are built by the tests themselves: the operator's CLI, kustomize. A test whose tool is missing says so and skips.
e2e: ## Run the product against the real tools: operator, kpt, kustomize, containers
	cd e2e && go vet ./... && go test -ldflags '-s -w' -timeout 70m -skip Corpus ./...

# The first run builds kube-apiserver, etcd, kubectl, Flux's controllers, its CLI and the operator, and keeps them in the user's cache
# folder; where that cannot be done, it says so and skips. SHORT=1 plays one replay of each kind and names the others as left out,
# RUN=name plays some.
e2e-live: ## Replay migrations, and disasters, on a real API server with the real controllers
	cd e2e && go vet ./live && go test -count 1 -v -timeout 60m -parallel 3 ./live -run 'TestReplay/$(RUN)' -live $(if $(SHORT),-short)

.PHONY: e2e-live-programs
e2e-live-programs: ## Build what make e2e-live runs, once
	cd e2e && go test -count 1 -v -timeout 60m ./live -run 'TestPrograms$$' -live

COMMITS ?= 20
SEED    ?= 1

.PHONY: e2e-inventory
e2e-inventory: ## Hold inventory to the real kustomize-controller, on COMMITS (20) random commits of three real repositories, from SEED (1)
	cd e2e && go test -count 1 -v -timeout 60m ./live -run TestInventory -commits $(COMMITS) -seed $(SEED)

corpus: ## Run the product on a corpus of real repositories, where ../shared/corpus is there
	go test -ldflags '-s -w' -count 1 -v -timeout 90m -run Corpus $$(grep -rl --include='*_test.go' '^func Test.*Corpus' fn | xargs -n 1 dirname | sort -u | sed 's|^|./|') | grep -v '^=== '
	cd e2e && go test -ldflags '-s -w' -count 1 -v -timeout 90m -run Corpus .

speed: ## Measure plan, with its proof, against kustomize build for each Flux Kustomization of the corpus
	cd e2e && go test -count 1 -v -timeout 40m . -run 'TestSpeed$$' -speed

# Whole processes, the product and what it is compared with in turn: the figures to trust are the ratios. Takes some minutes.
bench: ## Measure: print the tables of docs/benchmarks.md, then the benchmarks of single packages
	go run ./fn/bench
	go test -run '^$$' -bench . -benchmem ./fn/...

# Go makes each input that reaches something new smaller, for up to a minute and without counting what it runs: here for a moment.
fuzz: ## Run each fuzz target for FUZZTIME (30s)
	@for package in $$(go list ./fn/...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x $$package; \
	  done; \
	done

cover: ## Measure what the tests of the product reach, each package by the tests of all
	@profile=$$(mktemp); trap 'rm -f "$$profile"' EXIT; \
	go test -timeout 40m -coverpkg ./fn/... -coverprofile "$$profile" ./fn/... >/dev/null; \
	go run -C tools ./coverage "$$profile" $(CURDIR)

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

cross: ## Build and vet for every platform that is supported
	@for platform in $(PLATFORMS); do \
	  export GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
	  go build -trimpath -o /dev/null ./fn; \
	  go vet ./...; \
	  echo "$$platform builds and vets"; \
	done

# Each file of an archive has the time of the commit and one owner, and archives hold their files in one order: the same bytes again.
# The SBOM of an archive is that of its binary. It needs GNU tar and zip.
# metadata.yaml, for the catalog of kpt, names the image and has whole addresses there: only who releases knows them.
EPOCH    ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
REGISTRY ?= $(NAME)
SOURCE   ?=

.PHONY: dist
dist: ## Write what is released for every platform to dist/: archives, SBOMs, checksums
	rm -rf dist; mkdir dist
	@export TZ=UTC; for platform in $(PLATFORMS); do \
	  os=$${platform%/*} arch=$${platform#*/} folder=bin/$$platform program=$(NAME); \
	  if [ $$os = windows ]; then program=$(NAME).exe; fi; \
	  archive=$(CURDIR)/dist/$(NAME)_$(VERSION)_$${os}_$$arch; \
	  rm -rf "$$folder"; \
	  GOOS=$$os GOARCH=$$arch $(MAKE) --no-print-directory build BIN="$$folder/$$program"; \
	  $(SBOM) -output "$$archive.sbom.json" "$$folder/$$program"; \
	  install -m 644 LICENSE README.md "$$folder"; \
	  chmod 755 "$$folder/$$program"; \
	  touch --date=@$(EPOCH) "$$folder"/*; \
	  if [ $$os = windows ]; then (cd "$$folder" && zip -X -q "$$archive.zip" $$program LICENSE README.md); \
	  else tar -C "$$folder" --owner=0 --group=0 --numeric-owner -cf - $$program LICENSE README.md | gzip -9 -n >"$$archive.tar.gz"; fi; \
	done; \
	sed -e 's|^image: .*|image: $(REGISTRY)|' -e 's,\(fn\|examples/[a-z-]*\)$$,$(SOURCE)&,' metadata.yaml >dist/metadata.yaml; \
	cd dist; sha256sum -- * >checksums.txt

.PHONY: workflows
workflows: ## Check the workflows of CI, and the shell scripts in them where shellcheck is there
	$(TOOL) actionlint

# A release without words about it is a mistake.
.PHONY: notes
notes: ## Print what CHANGELOG.md says of VERSION
	@notes=$$(awk -v version='$(VERSION)' '/^## /{found = $$2 == version; next} found' CHANGELOG.md); \
	if [ -z "$$notes" ]; then echo 'CHANGELOG.md says nothing of $(VERSION): write it before the tag' >&2; exit 1; fi; \
	echo "$$notes"

# Tools that only look at the binary have a module of their own, so that the product's lists what the product needs.
TOOL := go tool -modfile=tools/go.mod

reproducible: ## Build binary and image in two folders, and compare them byte by byte
	cd e2e && go test -count 1 -v -timeout 40m -run 'TestReproducible' .

SBOM = $(TOOL) cyclonedx-gomod bin -json -std -licenses -noserial -notimestamp -version $(VERSION)

sbom: build ## Write the SBOM of the binary, CycloneDX, to bin/sbom.json
	$(SBOM) -output bin/sbom.json $(BIN)

licenses: sbom ## List the licences of what is linked; fail on one that is not allowed
	go run -C tools ./licenses $(CURDIR)/bin/sbom.json

# Without a network there is no database: that is said, and is no failure unless REQUIRED=1. VULNDB=url names a mirror.
vuln: ## Look the code that is called up in Go's vulnerability database
	@said=$$(mktemp); trap 'rm -f "$$said"' EXIT; \
	if $(TOOL) govulncheck $(if $(VULNDB),-db $(VULNDB)) ./... 2>&1 | tee "$$said"; then exit 0; fi; \
	if [ -z "$(REQUIRED)" ] && grep -q 'fetching vulnerabilities' "$$said"; then \
	  echo 'SKIPPED: the vulnerability database cannot be reached; the code was not looked up'; \
	else exit 1; fi

# Flux Operator may need a newer Go than this project: Go gets that by itself.
data: ## Refresh the tables of releases from the Flux Operator that is pinned; OPERATOR=v1.2.3 (or latest) pins that one first, CHARTS=clone reads its charts again
	$(if $(OPERATOR),cd e2e/operator/cli && GOTOOLCHAIN=auto go get github.com/controlplaneio-fluxcd/flux-operator@$(OPERATOR) && GOTOOLCHAIN=auto go mod tidy)
	cd e2e && go run ./data $(if $(CHARTS),-charts $(abspath $(CHARTS)))

# The binary is built by Go on this machine, so that no base image has to be pulled; `docker build .` builds it in a stage.
image: build ## Build the container image (IMAGE=name:tag) with docker, podman or buildah
	@\
	if docker info >/dev/null 2>&1; then tool="docker build"; \
	elif command -v podman >/dev/null; then tool="podman build --isolation chroot"; \
	elif command -v buildah >/dev/null; then tool="buildah bud --isolation chroot"; \
	else echo "make image needs docker, podman or buildah"; exit 1; fi; \
	echo "$$tool, to $(IMAGE)"; \
	$$tool --build-arg BINARY=prebuilt --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --tag $(IMAGE) .

# Files that are new count as well: what a test or a generator leaves behind is either committed or a mistake.
clean-tree:
	@left=$$(git status --porcelain --untracked-files=all); \
	if [ -n "$$left" ]; then echo "the tree is not clean:"; echo "$$left"; exit 1; fi

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' Makefile
