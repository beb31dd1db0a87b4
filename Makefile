# Thin: what a target does is in the scripts and playbooks that it calls.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin
# Keeps what ansible and molecule write apart from the user's own, and from other checkouts'.
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
# Plain output, and scenarios where they are.
export MOLECULE_COMMAND_BORDERS := false
export MOLECULE_GLOB := molecule/*/molecule.yml
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis

# The Debian releases that containers of the tests are made of; the demo needs the last one alone.
DEBIAN_RELEASES := 12 13

SHELL_SCRIPTS = $(shell git ls-files --cached --others --exclude-standard '*.sh') .ci/run

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what demo and tests need: Debian packages, Docker engine, .venv
	@tests/environment/setup.sh

.PHONY: image
image: setup ## Build the container image of the demo where it is not there yet
	@tests/environment/image.sh $(lastword $(DEBIAN_RELEASES))

.PHONY: tools
tools: image ## Build the other images of the tests: every release, the tools that tests ask with, the stand-ins of providers
	@for image in $(DEBIAN_RELEASES) tools providers; do tests/environment/image.sh $$image || exit 1; done

.PHONY: demo
demo: image ## Deploy three name servers in containers, prove that they work, leave them running
	ansible-playbook -i inventories/demo molecule/shared/create.yml
	ansible-playbook -i inventories/demo playbooks/site.yml
	@echo
	@echo 'Query a server:   dig @172.30.53.11 example.com SOA    (over IPv6: dig @fd00:53:1::11 example.com SOA)'
	@echo 'Change a record:  edit a file in inventories/demo/zones, then: .venv/bin/ansible-playbook -i inventories/demo playbooks/site.yml'
	@echo 'Take it down:     make demo-down'

# The demo's servers, and the providers beside them.
DEMO_CLOUD = -i inventories/demo -i inventories/demo_cloud

.PHONY: demo-cloud
demo-cloud: image ## The demo, with stand-ins of Cloudflare and Route 53; then change a record, and see it everywhere
	@tests/environment/image.sh providers
	@rm -rf .cache/demo-cloud && mkdir -p .cache/demo-cloud && cp -r inventories/demo_cloud/zones .cache/demo-cloud/zones
	ansible-playbook $(DEMO_CLOUD) molecule/shared/create.yml
	ansible-playbook $(DEMO_CLOUD) playbooks/site.yml
	sed -i 's/192\.0\.2\.81$$/192.0.2.181/' .cache/demo-cloud/zones/example.com.zone
	ansible-playbook $(DEMO_CLOUD) playbooks/site.yml
	@for server in 172.30.53.11 172.30.53.12 172.30.53.13 172.30.53.31 172.30.53.32; do \
	    echo "dig @$$server www.apps.example.com A +short: $$(dig @$$server www.apps.example.com A +short +norecurse)"; \
	done
	@echo
	@echo 'Cloudflare is at 172.30.53.31, Route 53 at 172.30.53.32: dig @172.30.53.32 example.com SOA'
	@echo 'Change a record:  edit a file in .cache/demo-cloud/zones, then: .venv/bin/ansible-playbook $(DEMO_CLOUD) playbooks/site.yml'
	@echo 'Take it down:     make demo-down'

.PHONY: demo-down
demo-down: setup ## Remove all that the demo made, with the providers or without
	ansible-playbook -i inventories/demo molecule/shared/destroy.yml

.PHONY: test
test: ## Run every test lane
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint unit sanity package
	@# The images first, so that the long lanes begin at once; these wait for their containers most of the time.
	@$(MAKE) --no-print-directory tools
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target molecule system cloud demo-test galaxy
	@# Alone: it measures what clients notice, and how long things take.
	@$(MAKE) --no-print-directory faults

.PHONY: lint
lint: setup ## Check the style of playbooks, roles, YAML, Python and shell
	yamllint --strict .
	ruff check .
	ruff format --check .
	shellcheck $(SHELL_SCRIPTS)
	ansible-lint

.PHONY: unit
unit: setup ## Run the unit tests
	pytest -n 2 tests/unit --cov=ansible_collections.dnsops.redundant_dns.plugins.module_utils --cov-branch \
	    --cov-report= --cov-fail-under=95

.PHONY: sanity
sanity: setup ## Run ansible-test sanity with the oldest and the newest ansible-core
	@tests/environment/sanity.sh

.PHONY: package
package: setup ## Build the collection; look at it as Galaxy does; try the example inventory
	tests/packaging/package.sh
	pytest tests/packaging

.PHONY: molecule
molecule: tools ## Run every scenario in molecule/
	molecule test --all

.PHONY: system
system: tools ## Run the tests of the whole, on two fleets of their own
	pytest -n 2 --dist loadfile tests/system

.PHONY: cloud
cloud: tools ## Run the tests with Cloudflare and Route 53, which stand-ins play
	pytest tests/cloud

.PHONY: faults
faults: tools ## Break things while a load client asks: the fast part
	@rm -rf .cache/faults/fast
	pytest -n 2 --dist worksteal tests/faults -m fast
	@touch .cache/faults/fast/complete

.PHONY: test-faults
test-faults: tools ## Break everything else, and write what was measured to docs/faults.md
	@# The table has the rows of the fast part too.
	@test -e .cache/faults/fast/complete || $(MAKE) --no-print-directory faults
	@rm -rf .cache/faults/rest
	pytest -n 3 --dist worksteal tests/faults -m 'not fast'
	.venv/bin/python tests/faults/table.py

.PHONY: demo-test
demo-test: image ## Test the demo, from make demo to make demo-down
	pytest tests/demo

.PHONY: tables
tables: setup ## Write the tables of variables in the roles' READMEs
	.venv/bin/python tests/environment/tables.py

.PHONY: galaxy
galaxy: image ## Build, install and deploy as a stranger does, with a copy of the example
	pytest tests/galaxy

.PHONY: clean
clean: ## Remove what these targets made in this checkout; containers and images stay
	rm -rf .ansible .cache .pytest_cache .ruff_cache .venv
